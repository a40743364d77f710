import type { Entry, EntryStatus } from '../../core/outbox/entry.ts';
import { type Operation, type OutboxMark, operationSchema, receiptSchema } from '../../protocol/operation.ts';
import type { Row } from './outbox-database.ts';

/** Rows of the outbox as what they are. */
export function toOperation(row: Row): Operation {
  return operationSchema.parse(JSON.parse(String(row['operation'])));
}

export function toEntry(row: Row): Entry {
  return {
    operation: toOperation(row),
    status: row['status'] as EntryStatus,
    attempts: Number(row['attempts']),
    capturedAt: Number(row['captured_at']),
    receipt: row['receipt'] === null ? null : receiptSchema.parse(JSON.parse(String(row['receipt']))),
  };
}

export function markOf({ seq, chain }: Operation): OutboxMark {
  return { seq, chain };
}
