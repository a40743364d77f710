import * as z from 'zod';

/**
 * What a store recorded, on its way to head office.
 *
 * `seq` counts the entries of one replica's outbox from 1 without gaps. `opId` is the operation's name for ever, also
 * after the database was restored and the entry got another `seq`; receipts go by it. `fields` are the values it sets
 * (null takes one away): the whole record where records are facts, only what the user changed where fields are merged.
 * `chain` is the sha256 over the chain before and this operation, so that two different pasts cannot look the same.
 */
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const operationSchema = z.strictObject({
  seq: z.int().min(1),
  opId: z.uuid(),
  collection: z.string().min(1).max(60),
  key: z.string().min(1).max(1024),
  kind: z.enum(['put', 'delete']),
  fields: z.record(z.string(), value),
  /** `rev` of the row that whoever recorded it saw; 0: there was none. */
  base: z.int().min(0),
  /** Hybrid logical clock of the replica (`core/outbox/hybrid-clock.ts`). */
  clock: z.int().min(0),
  chain: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Operation = z.infer<typeof operationSchema>;
export type OperationValue = z.infer<typeof value>;
export type UnchainedOperation = Omit<Operation, 'chain'>;

/** The chain before the first operation of a replica. */
export const CHAIN_START = '0'.repeat(64);

/** Where a replica's outbox stands: up to and with `seq`. */
/**
 * How far head office has stored a replica's operations, and how far it has applied them: `seq`, both inclusive; and how
 * often receipts that it gave have changed since.
 */
export const uploadProgressSchema = z.object({
  storedThrough: z.int().min(0),
  appliedThrough: z.int().min(0),
  revisions: z.int().min(0).default(0),
});
export type UploadProgress = z.infer<typeof uploadProgressSchema>;

export const outboxMarkSchema = z.strictObject({ seq: z.int().min(0), chain: z.string().regex(/^[0-9a-f]{64}$/) });
export type OutboxMark = z.infer<typeof outboxMarkSchema>;

/**
 * Where an operation is in the store's outbox while it has no receipt:
 * - `PENDING` waits to be sent
 * - `SENDING` was given to a push, or is stored at head office and waits for its receipt
 * - `UNCONFIRMED` was sent and nobody knows whether it arrived; it is sent again as it is
 * - `RETRY_WAIT` head office was busy
 */
export const WAITING_STATUSES = ['PENDING', 'SENDING', 'UNCONFIRMED', 'RETRY_WAIT'] as const;
export type WaitingStatus = (typeof WAITING_STATUSES)[number];

/**
 * What became of an operation at head office. Final ones, and those that wait for a person or another record:
 * - `ACCEPTED`, `ACCEPTED_EFFECTS_PENDING` (stored, derived values follow), `ACCEPTED_WITH_WARNINGS` (some attributes not)
 * - `DUPLICATE` same key and content were there; `MERGED` after a merge by field; `SUPERSEDED` by something newer
 * - `CONFLICT` a person decides; `REJECTED` the same data will never pass; `QUARANTINED` it breaks processing
 * - `HELD` it waits for a record it belongs to; `AWAITING_APPROVAL` for a person’s word; `CORRECTED`, `DISCARDED` closed by a person
 */
export const RECEIPT_STATUSES = [
  'ACCEPTED',
  'ACCEPTED_EFFECTS_PENDING',
  'ACCEPTED_WITH_WARNINGS',
  'DUPLICATE',
  'MERGED',
  'SUPERSEDED',
  'CONFLICT',
  'REJECTED',
  'QUARANTINED',
  'HELD',
  'AWAITING_APPROVAL',
  'CORRECTED',
  'DISCARDED',
] as const;
export type ReceiptStatus = (typeof RECEIPT_STATUSES)[number];

/** Those that stand in the list of exceptions until somebody, or the record they wait for, closes them. */
export const OPEN_STATUSES = [
  'CONFLICT',
  'REJECTED',
  'QUARANTINED',
  'HELD',
  'AWAITING_APPROVAL',
] as const satisfies readonly ReceiptStatus[];

export type OpenStatus = (typeof OPEN_STATUSES)[number];

/** What somebody does about an operation that stands there. */
export const remedies: Readonly<Record<OpenStatus, string>> = {
  CONFLICT: 'compare it with what it stands against, then discard it with a reason, or mend and replay it',
  REJECTED: 'mend what the reason names and replay it, or discard it with a reason',
  QUARANTINED: 'replay it; if it comes back, report it with its id, or discard it with a reason',
  HELD: 'write the record that it waits for; it is applied by itself then',
  AWAITING_APPROVAL: 'look at whom it is taken from, then approve it, or discard it with a reason',
};

export const ATTRIBUTE_STATUSES = ['CLOUD_OVERRIDDEN', 'NOT_ALLOWED', 'INVALID', 'TAKEN', 'AWAITING_APPROVAL'] as const;

export const attributeOutcomeSchema = z.object({ field: z.string(), status: z.enum(ATTRIBUTE_STATUSES), reason: z.string() });
export type AttributeOutcome = z.infer<typeof attributeOutcomeSchema>;

export const receiptSchema = z.object({
  seq: z.int().min(1),
  opId: z.uuid(),
  status: z.enum(RECEIPT_STATUSES),
  /** In words, for whoever looks at the record; never a person's data. */
  reason: z.string().optional(),
  /** Attributes that did not become what the operation says. */
  attributes: z.array(attributeOutcomeSchema).default([]),
  /** The record's `rev` that has this operation in it; absent when nothing was written. */
  rev: z.int().optional(),
  at: z.string(),
});
export type Receipt = z.infer<typeof receiptSchema>;

/** A receipt as an agent of that version knows it. */
export function receiptInVersion(version: number, receipt: Receipt): Receipt {
  if (version >= 2) return receipt;
  const status = receipt.status === 'AWAITING_APPROVAL' ? 'CONFLICT' : receipt.status;
  const attributes = receipt.attributes.map((one) => (one.status === 'AWAITING_APPROVAL' ? { ...one, status: 'TAKEN' as const } : one));
  return { ...receipt, status, attributes };
}
