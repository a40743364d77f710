import type { RecordWrite } from '../../core/ports/record-store.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { resolveException, type ResolveDeps } from './resolve-exception.ts';

/** What waited for a record is judged again as soon as that record is there. */
const WAITED_FOR = new Set([
  'customer',
  'coupon',
  'customer_identifier',
  'custom_field_value',
  'task_metadata',
  'task',
  'reminder',
  'subscription',
]);

export async function releaseHeld(deps: ResolveDeps, writes: readonly RecordWrite[]): Promise<void> {
  const there = writes.filter(({ record, previousRev }) => previousRev === null && !record.deleted && WAITED_FOR.has(record.collection));
  for (const { record } of there)
    for (const exception of await deps.uploads.readHeld(`${record.collection}/${record.key}`))
      await resolveException(deps, exception, { operation: exception.operation, by: 'head office', isByItself: true });
}

const PAGE = 100;

/** What waits for a record that head office made itself: nobody rings for that. Returns how many were closed. */
export async function sweepHeld(deps: ResolveDeps & { readonly uploads: Pick<UploadStore, 'listExceptions'> }): Promise<number> {
  let released = 0;
  let after: string | null = null;
  do {
    const page = await deps.uploads.listExceptions({ status: 'HELD', max: PAGE, ...(after === null ? {} : { after }) });
    for (const exception of page.exceptions) {
      const [collection = '', ...key] = (exception.waitsFor ?? '').split('/');
      const records = await deps.records.getMany(collection, [key.join('/')]);
      if (records.get(key.join('/'))?.deleted !== false) continue;
      const { status } = await resolveException(deps, exception, { operation: exception.operation, by: 'head office', isByItself: true });
      if (status !== 'HELD') released += 1;
    }
    after = page.next;
  } while (after !== null);
  return released;
}
