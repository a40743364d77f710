import type { Fields } from '../../protocol/catalogue/record.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { Edition } from '../../protocol/catalogue/types.ts';
import type { AttributeOutcome, Operation, OperationValue, ReceiptStatus } from '../../protocol/operation.ts';
import type { MainRecord } from '../ports/record-store.ts';

/** What an operation is judged by, and what comes of it. */
export interface Case {
  readonly operation: Operation;
  readonly records: Seen;
  /** Server time, milliseconds. */
  readonly now: number;
  readonly store: { readonly storeId: string; readonly edition: Edition };
  readonly settings: { readonly scopes: ScopeSettings; readonly withheld: ReadonlySet<string> };
  /** A person said yes to what needs that. */
  readonly isApproved?: boolean;
}

/** Main data as it is, with what earlier operations of the same step make of it. */
export interface Seen {
  /** null: there is none. What was not loaded is a bug. */
  get(collection: string, key: string): MainRecord | null;
}

export interface RecordChange {
  readonly collection: string;
  readonly key: string;
  /** null: delete. */
  readonly fields: Fields | null;
  /** When each field was set that stores and head office both may set. */
  readonly clocks?: Readonly<Record<string, number>>;
}

export interface Lost {
  readonly field: string;
  readonly lost: OperationValue;
  readonly kept: OperationValue;
}

export interface Verdict {
  readonly status: ReceiptStatus;
  readonly reason?: string;
  readonly attributes: readonly AttributeOutcome[];
  /** The operation's own record first. */
  readonly changes: readonly RecordChange[];
  readonly lost: readonly Lost[];
  readonly waitsFor: string | null;
  readonly against: readonly string[];
}

const NOTHING = { attributes: [], changes: [], lost: [], waitsFor: null, against: [] } as const;

export function verdict(status: ReceiptStatus, more: Partial<Verdict> = {}): Verdict {
  return { ...NOTHING, status, ...more };
}

export function rejected(reason: string, attributes: readonly AttributeOutcome[] = []): Verdict {
  return verdict('REJECTED', { reason, attributes });
}

/** It cannot be decided before that record is there. */
export function held(collection: string, key: string): Verdict {
  return verdict('HELD', { reason: `waits for its ${collection}`, waitsFor: `${collection}/${key}` });
}

export function conflict(reason: string, against: readonly string[] = []): Verdict {
  return verdict('CONFLICT', { reason, against });
}

export function isThere(record: MainRecord | null): record is MainRecord {
  return record !== null && !record.deleted;
}
