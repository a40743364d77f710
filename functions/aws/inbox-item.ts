import * as z from 'zod';
import type { InboxEntry, ObjectEntry } from '../../core/ports/upload-store.ts';
import { type Operation, operationSchema, outboxMarkSchema } from '../../protocol/operation.ts';
import type { Item } from './upload-table.ts';

/** Entries of an inbox as items: a batch as JSON, or what names an object and says where it begins and ends. */
const objectSchema = z.object({
  kind: z.literal('object'),
  before: outboxMarkSchema,
  through: outboxMarkSchema,
  after: z.int().min(0),
  key: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  receivedAt: z.int().nullable().default(null),
});

export function objectItem(entry: ObjectEntry): Item {
  return { object: { ...entry } };
}

export function batchItem(operations: readonly Operation[], receivedAt: number): Item {
  return { operations: JSON.stringify(operations), receivedAt };
}

export function inboxEntry(item: Item): InboxEntry {
  if (item['object'] !== undefined) return objectSchema.parse(item['object']);
  return {
    kind: 'operations',
    operations: z
      .array(operationSchema)
      .min(1)
      .parse(JSON.parse(String(item['operations']))),
    receivedAt: typeof item['receivedAt'] === 'number' ? item['receivedAt'] : null,
  };
}

/** The last `seq` of an entry. */
export function endOf(entry: InboxEntry): number {
  return entry.kind === 'object' ? entry.through.seq : (entry.operations.at(-1)?.seq ?? 0);
}
