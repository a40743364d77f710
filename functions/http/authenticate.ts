import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import type { Clock } from '../../core/ports/clock.ts';
import type { ProofMemory } from '../../core/ports/proof-memory.ts';
import type { PublicKey, Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import { isSameKey, keysOf } from '../../core/proofs/replica-keys.ts';
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
import type { RequestBudgets } from './request-budgets.ts';

/**
 * Whose request this is, from its signature and nothing else (INV-24).
 *
 * The replica row is read at every request, so a revoked replica is refused at once. Every reason for a refusal gives
 * the same answer, except a wrong clock and a repeat: those answers are given only to a request with a valid signature, because the
 * agent heals itself with it.
 */
export interface AuthenticateDeps {
  readonly registry: Pick<StoreRegistry, 'readReplica' | 'takeKey'>;
  readonly clock: Clock;
  /** How often one may ask. */
  readonly budgets: Pick<RequestBudgets, 'take'>;
  /** The organization's name: the audience. */
  readonly audience: string;
}

/** What a signature is bound to, and the signature. */
type SignedRequest = Pick<HttpRequest<unknown>, 'method' | 'path' | 'headers' | 'rawBody'>;

export interface Caller {
  readonly store: Store;
  readonly replica: Replica;
  /** Its clock minus ours, as it is, whatever the agent corrects. */
  readonly skewMs: number;
}

export async function authenticate(deps: AuthenticateDeps, request: SignedRequest): Promise<Caller> {
  const { proof: _, ...caller } = await proven(deps, request);
  return caller;
}

/**
 * The same where a repeat would do something again, or answer with something that is given once: a proof that was used is refused
 * (INV-54). Only a valid signature is told that, and an agent signs anew then: who repeats its requests on the way does it no harm.
 */
export async function authenticateOnce(deps: AuthenticateDeps & { readonly proofs: ProofMemory }, request: SignedRequest): Promise<Caller> {
  const { proof, ...caller } = await proven(deps, request);
  const used = { replicaId: caller.replica.replicaId, id: proof.jti, issuedAt: proof.iat * 1_000 };
  if (!(await deps.proofs.use(used))) throw new SyncError('REPLAYED', 'this request came before; sign it anew');
  return caller;
}

async function proven(deps: AuthenticateDeps, request: SignedRequest): Promise<Caller & { readonly proof: RequestProof }> {
  const [scheme, token] = (request.headers['authorization'] ?? '').split(' ');
  if (scheme !== REQUEST_SCHEME || token === undefined) throw refused();
  const replicaId = keyIdOf(token);
  const found = await deps.registry.readReplica(replicaId);
  if (found === null || found.replica.status !== 'ACTIVE') throw refused();

  const now = deps.clock.now();
  const { proof, key } = await verified(token, found.replica, { audience: deps.audience, now });
  const bound = proof.htm === request.method && proof.htp === request.path && proof.bd === sha256Base64Url(request.rawBody);
  if (!bound) throw refused();
  // Only whoever signed it spends of it.
  deps.budgets.take(replicaId, now);
  const skewMs = proof.iat * 1_000 - now;
  if (Math.abs(skewMs) > limits.requestSkewMs) {
    throw new SyncError('CLOCK_SKEW', `the store clock is off by ${Math.round(skewMs / 1_000)} s`, { details: { skewMs } });
  }
  const measured = Math.round((proof.clk ?? proof.iat * 1_000) - now);
  return { store: found.store, replica: await withKey(deps, found.replica, key), skewMs: measured, proof };
}

/** The first request that its next key signed: from now on there is no other (INV-55). */
async function withKey({ registry }: AuthenticateDeps, replica: Replica, key: PublicKey): Promise<Replica> {
  const { nextKey, ...rest } = replica;
  if (nextKey === undefined || !isSameKey(key, nextKey.publicKey)) return replica;
  await registry.takeKey(replica.replicaId, key);
  return { ...rest, publicKey: key, keySince: nextKey.since };
}

function keyIdOf(token: string): string {
  try {
    return requestProofHeaderSchema.parse(decodeProtectedHeader(token)).kid;
  } catch (cause) {
    throw refused(cause);
  }
}

async function verified(
  token: string,
  replica: Replica,
  { audience, now }: { readonly audience: string; readonly now: number },
): Promise<{ readonly proof: RequestProof; readonly key: PublicKey }> {
  let failed: unknown;
  for (const key of keysOf(replica, now)) {
    try {
      const { payload } = await jwtVerify(token, await importJWK({ ...key }, 'ES256'), {
        algorithms: ['ES256'],
        typ: REQUEST_PROOF_TYPE,
        issuer: replica.replicaId,
        audience,
      });
      return { proof: requestProofSchema.parse(payload), key };
    } catch (cause) {
      failed = cause;
    }
  }
  throw refused(failed);
}

function refused(cause?: unknown): SyncError {
  return new SyncError('UNAUTHORIZED', 'the request is not signed by an active replica of this organization', { cause });
}
