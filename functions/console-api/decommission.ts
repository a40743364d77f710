import type { Clock } from '../../core/ports/clock.ts';
import { type StoreRegistry, isTrusted } from '../../core/ports/store-registry.ts';
import type { Waiting } from '../../protocol/messages/console-stores.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { endReplicas } from '../end-replicas.ts';
import type { ConsoleOp } from './console-op.ts';
import { type WaitingDeps, describeWaiting, waitingOf } from './waiting.ts';

/**
 * A store closes: all its replicas are retired and its codes void. What it sent is applied, also what comes in at this moment (INV-11), and
 * its records stay; a new code takes it back. It is refused while something waits, unless somebody insists: what was lost on the
 * way is asked for again, and what is odd is asked about, as long as somebody is there.
 */
export interface DecommissionDeps extends WaitingDeps {
  readonly registry: Pick<StoreRegistry, 'readListing' | 'retireReplica' | 'voidCodes' | 'closeStore'>;
  readonly clock: Clock;
}

export async function decommission(
  deps: DecommissionDeps,
  { storeId, reason, force }: ConsoleOp<'store.decommission'>,
): Promise<{ readonly storeId: string; readonly at: string; readonly waiting: Waiting; readonly retired: string[] }> {
  const { registry, clock } = deps;
  const listing = await registry.readListing(storeId);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const trusted = listing.replicas.filter(isTrusted).map(({ replicaId }) => replicaId);
  const waiting = await waitingOf(deps, trusted, { storeId });
  const why = describeWaiting(waiting);
  if (!force && why !== '')
    throw new SyncError(
      'NOT_COMPLETE',
      `store ${storeId} was left as it is: ${why}. Wait until they are done with, or insist with --force: they are kept, and done with when it is their turn`,
    );
  const now = clock.now();
  const at = new Date(now).toISOString();
  await registry.voidCodes(storeId, now);
  await registry.closeStore(storeId, { at, reason });
  const retired = await endReplicas(registry, storeId, {
    choose: (replicas) => replicas.filter(({ status }) => status === 'ACTIVE'),
    end: (replicaId) => registry.retireReplica(replicaId),
  });
  return { storeId, at, waiting, retired: retired ?? [] };
}
