import { type JWTVerifyGetKey, type JWTPayload, jwtVerify } from 'jose';
import type { Actor } from '../../core/ports/audit-log.ts';
import { ROLES, groupOf, roleOf } from '../../protocol/role.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';

/**
 * Who a person is, from a token of the organization's identity provider and nothing else (INV-49): its signature by the
 * provider's published keys, the issuer, the audience and the time. The role is the highest of the groups it names.
 */
export interface IdentityDeps {
  /** The provider's keys, kept for a while. */
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
  readonly now: () => number;
}

/** Clocks of two services. */
const TOLERANCE_S = 30;

export async function personOf(deps: IdentityDeps, authorization: string | undefined): Promise<Actor> {
  const [scheme, token] = (authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) throw refused();
  const payload = await verified(deps, token);
  const role = roleOf(payload);
  if (role === null) throw new SyncError('FORBIDDEN', `the token names no group of Storeline (${ROLES.map(groupOf).join(', ')})`);
  return { name: nameOf(payload), subject: String(payload.sub), role, via: 'OIDC' };
}

async function verified({ keys, issuer, audience, now }: IdentityDeps, token: string): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      algorithms: ['RS256', 'ES256', 'PS256'],
      clockTolerance: TOLERANCE_S,
      currentDate: new Date(now()),
      requiredClaims: ['exp', 'iat', 'sub'],
    });
    if (!isFor(payload, audience)) throw refused();
    return payload;
  } catch (cause) {
    // Nobody's token is wrong because the provider cannot be reached.
    throw isSyncError(cause, 'UNAVAILABLE') ? cause : refused(cause);
  }
}

/** An access token of a Cognito pool names its client and no audience. One that names an audience is for that and nobody else. */
function isFor({ aud, ...claims }: JWTPayload, audience: string): boolean {
  if (aud !== undefined) return [aud].flat().includes(audience);
  return claims['token_use'] === 'access' && claims['client_id'] === audience;
}

/** For people who read the audit; the subject makes it certain. */
function nameOf(payload: JWTPayload): string {
  const name = payload['email'] ?? payload['username'] ?? payload['cognito:username'];
  return (typeof name === 'string' ? `${name} (${String(payload.sub)})` : String(payload.sub)).slice(0, 100);
}

function refused(cause?: unknown): SyncError {
  return new SyncError('UNAUTHORIZED', 'no valid token of the identity provider', { cause });
}
