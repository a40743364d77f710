import type { Clock } from '../../core/ports/clock.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import type { Waiting } from '../../protocol/messages/console-stores.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { revokeReplicas } from '../revoke-replicas.ts';
import type { ConsoleOp } from './console-op.ts';

/**
 * A store closes: all its replicas are revoked and its codes void. What it sent stays, and so do its records; a new code takes it back.
 * Nothing of a revoked replica is applied any more (INV-25), so it is refused while something waits, unless somebody insists.
 */
export interface DecommissionDeps {
  readonly registry: Pick<StoreRegistry, 'readListing' | 'revokeReplica' | 'voidCodes' | 'closeStore'>;
  readonly uploads: Pick<UploadStore, 'readHead' | 'listExceptions'>;
  readonly clock: Clock;
}

const EXCEPTIONS_MAX = 100;
const EXCEPTIONS_NAMED = 5;

export async function decommission(
  deps: DecommissionDeps,
  { storeId, reason, force }: ConsoleOp<'store.decommission'>,
): Promise<{ readonly storeId: string; readonly at: string; readonly waiting: Waiting; readonly revoked: string[] }> {
  const waiting = await waitingOf(deps, storeId);
  if (!force && (waiting.replicas.length > 0 || waiting.exceptions.length > 0))
    throw new SyncError('NOT_COMPLETE', `store ${storeId} was left as it is: ${describeWaiting(waiting)}`);
  const now = deps.clock.now();
  const at = new Date(now).toISOString();
  await deps.registry.voidCodes(storeId, now);
  await deps.registry.closeStore(storeId, { at, reason });
  const revoked = (await revokeReplicas(deps.registry, storeId, (replicas) => replicas)) ?? [];
  return { storeId, at, waiting, revoked };
}

/** What head office has of this store and has not done with. What its machine has not sent nobody knows here. */
async function waitingOf({ registry, uploads }: DecommissionDeps, storeId: string): Promise<Waiting> {
  const listing = await registry.readListing(storeId);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const active = listing.replicas.filter(({ status }) => status === 'ACTIVE');
  const heads = await Promise.all(active.map(({ replicaId }) => uploads.readHead(replicaId)));
  const { exceptions } = await uploads.listExceptions({ storeId, max: EXCEPTIONS_MAX });
  return {
    replicas: heads
      .map(({ replicaId, stored, appliedThrough }) => ({ replicaId, operations: stored.seq - appliedThrough }))
      .filter(({ operations }) => operations > 0),
    exceptions: exceptions.map(({ opId, receipt, operation }) => ({ opId, status: receipt.status, collection: operation.collection })),
  };
}

function describeWaiting({ replicas, exceptions }: Waiting): string {
  const parts = replicas.map(({ replicaId, operations }) => `${operations} operations of ${replicaId} are stored and not applied yet`);
  if (exceptions.length > 0) {
    const some = exceptions.slice(0, EXCEPTIONS_NAMED).map(({ opId, status, collection }) => `${collection} ${opId} ${status}`);
    const rest = exceptions.length > some.length ? ', ...' : '';
    parts.push(`${exceptions.length} operations wait for somebody (${some.join(', ')}${rest}): \`storeline exceptions list\``);
  }
  return `${parts.join('; ')}. Wait until they are applied, or insist with --force: they are kept, and not applied`;
}
