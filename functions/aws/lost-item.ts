import * as z from 'zod';
import type { LostValue } from '../../core/ports/upload-store.ts';
import type { Item, ItemRange } from './upload-table.ts';

/** Values that lost a merge as items: one an operation, under the record that it was of. */
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const lostSchema = z.object({
  opId: z.string(),
  collection: z.string(),
  key: z.string(),
  field: z.string(),
  lost: value,
  kept: value,
  from: z.string(),
  clock: z.number(),
  at: z.string(),
});

type RecordAddress = Pick<LostValue, 'collection' | 'key'>;

export function lostItems(values: readonly LostValue[]): Item[] {
  const byOperation = Map.groupBy(values, ({ opId }) => opId);
  return [...byOperation.values()].map((lost) => {
    const first = lost[0] as LostValue;
    return { pk: keyOf(first), sk: first.opId, values: JSON.stringify(lost) };
  });
}

export function lostValues(item: Item): LostValue[] {
  return z.array(lostSchema).parse(JSON.parse(String(item['values'])));
}

export function lostOf(record: RecordAddress): ItemRange {
  return { pk: keyOf(record), from: ' ', to: '~' };
}

function keyOf({ collection, key }: RecordAddress): string {
  return `lost#${collection}/${key}`;
}
