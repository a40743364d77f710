import type { RecordWrite } from '../../core/ports/record-store.ts';
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
      await resolveException(deps, exception, { operation: exception.operation, by: 'head office' });
}
