import { sha256Hex } from '../../codec/pack.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import type { ForkRequest, ForkResponse } from '../../protocol/messages/push.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { checkPublicKey } from '../http/check-public-key.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * A replica whose outbox has another past than head office knows (restored, copied) goes on as a new replica of its
 * store, with a key of its own. The old one stays: where a copy runs, it is the other's. The new id comes from the old
 * one and the key, so asking again after a lost answer gives the same. How many come of the disks of a store in a day is limited, within what
 * is asked at the same moment: a key that was stolen is no licence to be many.
 */
export async function fork(
  { registry, clock }: { readonly registry: Pick<StoreRegistry, 'addFork' | 'readListing'>; readonly clock: Clock },
  { storeId, replicaId: old }: Replica,
  { publicKey }: ForkRequest,
): Promise<ForkResponse> {
  await checkPublicKey(publicKey);
  const now = clock.now();
  const serverTime = new Date(now).toISOString();
  const replicaId = `${storeId}:${uuidOf(sha256Hex(`${old} ${publicKey.x} ${publicKey.y}`))}`;
  const forked = { replicaId, storeId, publicKey, status: 'ACTIVE', enrolledAt: serverTime, forkedFrom: old } as const;
  const replicas = (await registry.readListing(storeId))?.replicas ?? [];
  const isKnown = replicas.some((replica) => replica.replicaId === replicaId);
  if (!isKnown && forkedSince(replicas, now - DAY_MS) >= limits.forksPerDay)
    throw new SyncError('FORK_LIMIT', `${limits.forksPerDay} replicas came of the disks of store ${storeId} in a day`, {
      retryAfterMs: HOUR_MS,
    });
  // It was active when it was let in, and was revoked since.
  if ((await registry.addFork(forked)) === 'gone') throw new SyncError('UNAUTHORIZED', 'the replica it comes from is not active any more');
  return { storeId, replicaId, serverTime };
}

function forkedSince(replicas: readonly Replica[], since: number): number {
  return replicas.filter(({ forkedFrom, enrolledAt }) => forkedFrom !== undefined && Date.parse(enrolledAt) > since).length;
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
