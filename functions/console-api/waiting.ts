import type { UploadException, UploadStore } from '../../core/ports/upload-store.ts';
import type { Receipt } from '../../protocol/operation.ts';
import type { Waiting } from '../../protocol/messages/console-stores.ts';

/** What head office has of a store and has not done with. What its machines have not sent nobody knows here. */
export interface WaitingDeps {
  readonly uploads: Pick<UploadStore, 'readHead' | 'listExceptions'>;
}

const EXCEPTIONS_MAX = 100;
const EXCEPTIONS_NAMED = 5;

export async function waitingOf(
  { uploads }: WaitingDeps,
  replicaIds: readonly string[],
  { isOf, ...query }: { readonly storeId: string; readonly status?: Receipt['status']; readonly isOf?: (one: UploadException) => boolean },
): Promise<Waiting> {
  const heads = await Promise.all(replicaIds.map((replicaId) => uploads.readHead(replicaId)));
  const { exceptions } = await uploads.listExceptions({ ...query, max: EXCEPTIONS_MAX });
  return {
    replicas: heads
      .map(({ replicaId, stored, appliedThrough }) => ({ replicaId, operations: stored.seq - appliedThrough }))
      .filter(({ operations }) => operations > 0),
    exceptions: (isOf === undefined ? exceptions : exceptions.filter(isOf)).map(({ opId, receipt, operation }) => ({
      opId,
      status: receipt.status,
      collection: operation.collection,
    })),
  };
}

/** Empty: nothing waits. */
export function describeWaiting({ replicas, exceptions }: Waiting): string {
  const parts = replicas.map(({ replicaId, operations }) => `${operations} operations of ${replicaId} are stored and not applied yet`);
  if (exceptions.length > 0) {
    const some = exceptions.slice(0, EXCEPTIONS_NAMED).map(({ opId, status, collection }) => `${collection} ${opId} ${status}`);
    const rest = exceptions.length > some.length ? ', ...' : '';
    parts.push(`${exceptions.length} operations wait for somebody (${some.join(', ')}${rest}): \`storeline exceptions list\``);
  }
  return parts.join('; ');
}

export function countWaiting({ replicas, exceptions }: Waiting): number {
  return replicas.reduce((sum, { operations }) => sum + operations, 0) + exceptions.length;
}
