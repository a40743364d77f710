import type { Clock } from '../../core/ports/clock.ts';
import { type Replica, type StoreRegistry, isTrusted, lastHeardAt } from '../../core/ports/store-registry.ts';
import type { UploadException } from '../../core/ports/upload-store.ts';
import { descendants } from '../../core/stores/descendants.ts';
import type { Waiting } from '../../protocol/messages/console-stores.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { endReplicas } from '../end-replicas.ts';
import type { ConsoleOp } from './console-op.ts';
import { type WaitingDeps, describeWaiting, waitingOf } from './waiting.ts';

/**
 * Nobody trusts a machine any more: its replica is revoked with all that became of its disk, or all of a store with the codes that are
 * still out. Nothing of them is applied any more, also not what head office has acknowledged (INV-25), so it is refused while
 * something waits or a copy goes with it that was not named, unless somebody insists. What came in meanwhile is said afterwards.
 */
export interface RevokeDeps extends WaitingDeps {
  readonly registry: Pick<StoreRegistry, 'readListing' | 'revokeReplica' | 'voidCodes'>;
  readonly clock: Clock;
}

interface Revoked {
  readonly storeId: string;
  readonly revoked: string[];
  readonly waiting: Waiting;
  /** That were active before. */
  readonly active: string[];
}

export async function revoke(deps: RevokeDeps, request: ConsoleOp<'store.revoke'>): Promise<Revoked> {
  const { registry, clock } = deps;
  const { storeId, replicaId, only, force } = request;
  if (only && replicaId === undefined) throw new SyncError('INVALID_INPUT', 'say which replica only is to be revoked');
  const listing = await registry.readListing(storeId);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const choose = (replicas: readonly Replica[]) => {
    const chosen = replicaId === undefined ? replicas : descendants(replicas, replicaId);
    return only ? chosen.filter((one) => one.replicaId === replicaId) : chosen;
  };
  const chosen = choose(listing.replicas);
  if (replicaId !== undefined && chosen.length === 0) throw new SyncError('NOT_FOUND', `store ${storeId} has no replica ${replicaId}`);
  const before = new Set(listing.replicas.filter((replica) => !isTrusted(replica)).map((replica) => replica.replicaId));
  if (!force) await refuseLoss(deps, request, { chosen, before });

  if (replicaId === undefined) await registry.voidCodes(storeId, clock.now());
  const revoked = (await endReplicas(registry, storeId, { choose, end: (id) => registry.revokeReplica(id) })) ?? [];
  const active = listing.replicas.filter(({ status }) => status === 'ACTIVE').map((replica) => replica.replicaId);
  return { storeId, revoked, waiting: await lostWith(deps, { storeId, ids: revoked, before }), active };
}

async function refuseLoss(
  deps: RevokeDeps,
  { storeId, replicaId }: ConsoleOp<'store.revoke'>,
  { chosen, before }: { readonly chosen: readonly Replica[]; readonly before: ReadonlySet<string> },
): Promise<void> {
  const waiting = await lostWith(deps, { storeId, ids: chosen.map((replica) => replica.replicaId), before });
  const copies = replicaId === undefined ? [] : chosen.filter((one) => one.status === 'ACTIVE' && one.replicaId !== replicaId);
  const why = [
    ...copies.map((copy) => `${copy.replicaId} came of its disk and goes with it (last heard of ${lastHeardAt(copy)}; --only leaves it)`),
    ...[describeWaiting(waiting)].filter((text) => text !== ''),
  ];
  if (why.length > 0)
    throw new SyncError(
      'NOT_COMPLETE',
      `nothing was revoked: ${why.join('; ')}. Insist with --force: what waits is kept, and never applied by itself`,
    );
}

/** What head office has acknowledged and would never apply then: nobody else who is trusted sent it too. */
function lostWith(
  deps: RevokeDeps,
  { storeId, ids, before }: { readonly storeId: string; readonly ids: readonly string[]; readonly before: ReadonlySet<string> },
): Promise<Waiting> {
  const gone = new Set([...ids, ...before]);
  const isOf = ({ replicaId, copies }: UploadException) => {
    const senders = [replicaId, ...copies];
    return senders.every((sender) => gone.has(sender)) && senders.some((sender) => !before.has(sender));
  };
  const trusted = ids.filter((id) => !before.has(id));
  return waitingOf(deps, trusted, { storeId, status: 'HELD', isOf });
}
