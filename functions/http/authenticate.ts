import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import type { Clock } from '../../core/ports/clock.ts';
import type { Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import { sha256Base64Url } from '../../codec/pack.ts';
import { limits } from '../../protocol/limits.ts';
import {
  REQUEST_PROOF_TYPE,
  REQUEST_SCHEME,
  type RequestProof,
  requestProofHeaderSchema,
  requestProofSchema,
} from '../../protocol/request-proof.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { HttpRequest } from './http-function.ts';

/**
 * Whose request this is, from its signature and nothing else (INV-24).
 *
 * The replica row is read at every request, so a revoked replica is refused at once. Every reason for a refusal gives
 * the same answer, except a wrong clock: that answer is given only to a request with a valid signature, because the
 * agent heals itself with it.
 */
export interface AuthenticateDeps {
  readonly registry: Pick<StoreRegistry, 'readReplica'>;
  readonly clock: Clock;
  /** The organization's name: the audience. */
  readonly audience: string;
}

export async function authenticate(deps: AuthenticateDeps, request: HttpRequest<unknown>): Promise<{ store: Store; replica: Replica }> {
  const [scheme, token] = (request.headers['authorization'] ?? '').split(' ');
  if (scheme !== REQUEST_SCHEME || token === undefined) throw refused();
  const replicaId = keyIdOf(token);
  const found = await deps.registry.readReplica(replicaId);
  if (found === null || found.replica.status !== 'ACTIVE') throw refused();

  const claims = await verified(token, found.replica, deps.audience);
  const bound = claims.htm === request.method && claims.htp === request.path && claims.bd === sha256Base64Url(request.rawBody);
  if (!bound) throw refused();
  const skewMs = claims.iat * 1_000 - deps.clock.now();
  if (Math.abs(skewMs) > limits.requestSkewMs) {
    throw new SyncError('CLOCK_SKEW', `the store clock is off by ${Math.round(skewMs / 1_000)} s`, { details: { skewMs } });
  }
  return found;
}

function keyIdOf(token: string): string {
  try {
    return requestProofHeaderSchema.parse(decodeProtectedHeader(token)).kid;
  } catch (cause) {
    throw refused(cause);
  }
}

async function verified(token: string, replica: Replica, audience: string): Promise<RequestProof> {
  try {
    const key = await importJWK({ ...replica.publicKey }, 'ES256');
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['ES256'],
      typ: REQUEST_PROOF_TYPE,
      issuer: replica.replicaId,
      audience,
    });
    return requestProofSchema.parse(payload);
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause?: unknown): SyncError {
  return new SyncError('UNAUTHORIZED', 'the request is not signed by an active replica of this organization', { cause });
}
