import {
  OPEN_STATUSES,
  RECEIPT_STATUSES,
  WAITING_STATUSES,
  type Operation,
  type Receipt,
  type ReceiptStatus,
  type WaitingStatus,
} from '../../protocol/operation.ts';

/**
 * What becomes of one operation, from its capture to its receipt (domain page, section 6.3).
 *
 * Every entry is in exactly one status (INV-15). Without a receipt that is a waiting one, or `QUARANTINED`: head office does not
 * even take it in; it waits for a person. From a receipt on it has the receipt's status. `HELD` is one of those: a bill
 * that waits for its customer is sent behind the customer, and only head office knows what it waits for.
 */
export const ENTRY_STATUSES = [...WAITING_STATUSES, ...RECEIPT_STATUSES] as const;
export type EntryStatus = WaitingStatus | ReceiptStatus;

export interface Entry {
  readonly operation: Operation;
  readonly status: EntryStatus;
  readonly attempts: number;
  readonly capturedAt: number;
  readonly receipt: Receipt | null;
}

/**
 * - `given` to a push; `no-answer` to it, or the agent ended before there was one; `busy`: refused for now
 * - `restamped`: it starts over, as an operation of another replica or with another number
 */
export type EntryEvent = 'given' | 'no-answer' | 'busy' | 'restamped';

const AFTER: Readonly<Record<EntryEvent, Readonly<Record<WaitingStatus, EntryStatus>>>> = {
  given: { PENDING: 'SENDING', SENDING: 'SENDING', UNCONFIRMED: 'SENDING', RETRY_WAIT: 'SENDING' },
  'no-answer': { PENDING: 'PENDING', SENDING: 'UNCONFIRMED', UNCONFIRMED: 'UNCONFIRMED', RETRY_WAIT: 'RETRY_WAIT' },
  busy: { PENDING: 'PENDING', SENDING: 'RETRY_WAIT', UNCONFIRMED: 'UNCONFIRMED', RETRY_WAIT: 'RETRY_WAIT' },
  restamped: { PENDING: 'PENDING', SENDING: 'PENDING', UNCONFIRMED: 'PENDING', RETRY_WAIT: 'PENDING' },
};

/** What has a receipt, or was refused for good, is moved by receipts only. */
export function statusAfter(status: EntryStatus, event: EntryEvent): EntryStatus {
  return isWaiting(status) ? AFTER[event][status] : status;
}

export function isWaiting(status: EntryStatus): status is WaitingStatus {
  return (WAITING_STATUSES as readonly string[]).includes(status);
}

/** Stands in the list of exceptions until somebody closes it. */
export function isOpen(status: EntryStatus): boolean {
  return (OPEN_STATUSES as readonly string[]).includes(status);
}

/** Nothing more will come of it: its content may go once main data has it, and the entry after its retention (INV-10). */
export function isClosed(status: EntryStatus): boolean {
  return !isWaiting(status) && !isOpen(status);
}
