import { isOf, isParent } from '../../core/erasure/erase-record.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { UploadException, UploadStore } from '../../core/ports/upload-store.ts';
import { limits } from '../../protocol/limits.ts';
import { discardException } from '../apply/resolve-exception.ts';
import { eachStore } from '../each-store.ts';

/**
 * What stores have sent of a person: what is applied leaves the inboxes, and what waits for somebody is closed, because nobody can
 * decide it any more; its store is told. What a revoked replica sent is never applied, and stays.
 */
export interface EraseUploadsDeps {
  readonly uploads: Pick<UploadStore, 'readHead' | 'forgetInbox' | 'listExceptions' | 'closeException'>;
  readonly records: Pick<RecordStore, 'getMany'>;
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly clock: Clock;
}

/** Of what waits: records of the person that others belong to. Those others may be in main data already. */
export async function parentsThatWait(deps: Pick<EraseUploadsDeps, 'uploads'>, userId: string): Promise<string[]> {
  const parents = new Set<string>();
  for await (const { operation } of exceptions(deps))
    if (isParent(operation.collection) && isOf(operation, { userId, parents })) parents.add(`${operation.collection}/${operation.key}`);
  return [...parents];
}

/** How many exceptions were closed. */
export async function eraseUploads(deps: EraseUploadsDeps, { userId, by }: { userId: string; by: string }): Promise<number> {
  await forgetInboxes(deps);
  const parents = new Set(await parentsThatWait(deps, userId));
  let closed = 0;
  for await (const exception of exceptions(deps)) {
    if (!isOf(exception.operation, { userId, parents })) continue;
    await discardException(deps, exception, { by, reason: 'the customer was erased' });
    closed += 1;
  }
  return closed;
}

async function* exceptions({ uploads }: Pick<EraseUploadsDeps, 'uploads'>): AsyncGenerator<UploadException> {
  let after: string | undefined;
  do {
    const page = await uploads.listExceptions({ max: limits.listMax, ...(after === undefined ? {} : { after }) });
    yield* page.exceptions;
    after = page.next ?? undefined;
  } while (after !== undefined);
}

async function forgetInboxes({ uploads, registry }: EraseUploadsDeps): Promise<void> {
  for await (const { replicas } of eachStore(registry)) {
    for (const { replicaId } of replicas) {
      const { appliedThrough } = await uploads.readHead(replicaId);
      if (appliedThrough > 0) await uploads.forgetInbox(replicaId, appliedThrough);
    }
  }
}
