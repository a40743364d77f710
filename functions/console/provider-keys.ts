import { type JWTVerifyGetKey, createRemoteJWKSet, errors } from 'jose';
import * as z from 'zod';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * The keys of an identity provider, found where its own discovery document says they are, because providers differ in that
 * (OpenID Connect Discovery 1.0, section 4). Asked for once by a function that stays warm; keys are kept for ten minutes, and asked for again at a
 * key that nobody has heard of. A provider that cannot be reached is `UNAVAILABLE`: nobody's token is wrong because of it.
 */
const ANSWER_MS = 3_000;
const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

export function providerKeys(issuer: string): JWTVerifyGetKey {
  let found: Promise<JWTVerifyGetKey> | null = null;
  return async (header, token) => {
    found ??= discovered(issuer);
    const keys = await found.catch((error: unknown) => {
      found = null;
      throw error;
    });
    try {
      return await keys(header, token);
    } catch (cause) {
      // A key that the provider does not have is the token's fault; everything else here is the provider's.
      throw cause instanceof errors.JWKSNoMatchingKey ? cause : unavailable(cause);
    }
  };
}

async function discovered(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer}/.well-known/openid-configuration`;
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
    const said = discoverySchema.parse(await response.json());
    // Another issuer's document would lead to another issuer's keys.
    if (said.issuer !== issuer) throw new Error(`the document is of ${said.issuer}`);
    return createRemoteJWKSet(new URL(said.jwks_uri), { timeoutDuration: ANSWER_MS });
  } catch (cause) {
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): SyncError {
  return new SyncError('UNAVAILABLE', 'the identity provider cannot be asked for its keys; try again in a moment', { cause });
}
