import type { Operation, OutboxMark, Receipt } from '../../protocol/operation.ts';
import type { RecordWrite } from './record-store.ts';

/**
 * Head office's side of uploads: what replicas sent, how far it is applied, what became of it.
 *
 * A replica's `UploadHead` is the only guard: operations are stored with it and applied with it, each in one
 * transaction, so nothing is stored with a gap and nothing is applied twice, whatever is lost, doubled or late.
 */
export interface UploadHead {
  readonly replicaId: string;
  readonly stored: OutboxMark;
  readonly appliedThrough: number;
  /** Counts up whenever a receipt that was given already changes. */
  readonly revisions: number;
  /** The object with the next operation, up to this one, is lost: its replica is asked for it again. */
  readonly wantedThrough: number | null;
}

/** Operations that stand as an object beside the inbox, one after another from the one after `after` up to `through`. */
export interface ObjectEntry {
  readonly kind: 'object';
  /** Where the entry begins, and its chain there. What was lost and sent again may begin later, at `after`. */
  readonly before: OutboxMark;
  readonly through: OutboxMark;
  readonly after: number;
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Server time (ms) at which it was taken in; null: stored before that was kept. */
  readonly receivedAt: number | null;
}

export interface BatchEntry {
  readonly kind: 'operations';
  readonly operations: readonly Operation[];
  /** As of an object. */
  readonly receivedAt: number | null;
}

/** What was stored in one go. */
export type InboxEntry = BatchEntry | ObjectEntry;

/** An operation that needs somebody or something before it can be closed. */
export interface UploadException {
  /** The operation's own id: there is one exception of an operation. */
  readonly opId: string;
  readonly storeId: string;
  /** Who sent it first. */
  readonly replicaId: string;
  /** Who else has sent it: restored and copied disks. All of them hear what becomes of it. */
  readonly copies: readonly string[];
  readonly operation: Operation;
  readonly receipt: Receipt;
  /** `<collection>/<key>` of the record that a `HELD` one waits for. */
  readonly waitsFor: string | null;
  /** What else stands against it: keys of records, for example the bill that used the coupon first. */
  readonly against: readonly string[];
  readonly at: string;
  /** Counts its states, from 1: a step of `apply` with another version changes the one before it. */
  readonly version: number;
}

/** A value that lost a merge by field, for the audit. Holds personal data, like the record itself. */
export interface LostValue {
  readonly opId: string;
  readonly collection: string;
  readonly key: string;
  readonly field: string;
  readonly lost: string | number | boolean | null;
  readonly kept: string | number | boolean | null;
  readonly from: string;
  readonly clock: number;
  readonly at: string;
}

/** A receipt as it is now, and the how-many-eth change of its replica's receipts that is: `UploadHead.revisions` is the last. */
export interface Revision {
  readonly number: number;
  readonly receipt: Receipt;
}

/** One transaction of `apply`. */
export interface ApplyStep {
  readonly head: UploadHead;
  readonly appliedThrough: number;
  readonly writes: readonly RecordWrite[];
  readonly receipts: readonly Receipt[];
  readonly exceptions: readonly UploadException[];
  readonly lost: readonly LostValue[];
}

export interface UploadStore {
  /** Strongly consistent; one that never sent anything has a head at 0. */
  readHead(replicaId: string): Promise<UploadHead>;
  /** Adds operations, in order and without gaps after `head.stored`; `conflict` when the head moved meanwhile. */
  store(head: UploadHead, operations: readonly Operation[], receivedAt: number): Promise<'stored' | 'conflict'>;
  /** The same for an object that is there and was checked: `entry.before` is `head.stored`. */
  storeObject(head: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'>;
  /** What stands in the inbox after `after`, from the entry that holds it on, in order, until there are `max` operations or more. */
  readInbox(replicaId: string, after: number, max: number): Promise<InboxEntry[]>;
  /** Entries that end at `through` or before go, with what they hold of people. */
  forgetInbox(replicaId: string, through: number): Promise<void>;
  /** The object with the operation after `head.appliedThrough` is lost; `conflict` when the head moved meanwhile. */
  noteLostObject(head: UploadHead, entry: ObjectEntry): Promise<'noted' | 'conflict'>;
  /** Another object in place of one that was lost, and is wanted no more; `conflict` when the head moved meanwhile. */
  replaceObject(head: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'>;
  /**
   * All of it or nothing; `conflict` when the head or a record moved meanwhile, or the replica is revoked (INV-25).
   * `refused`: something in it is no item that the database takes, today or ever.
   */
  apply(step: ApplyStep): Promise<'applied' | 'conflict' | 'refused'>;
  /** By `seq`, after `after`. */
  readReceipts(replicaId: string, after: number, max: number): Promise<Receipt[]>;
  /** Receipts that changed since they were given, oldest first, from the one after the revision `after` on. */
  readRevised(replicaId: string, after: number, max: number): Promise<Revision[]>;
  /** Oldest first. `after`: the last one of the page before. */
  listExceptions(query: {
    readonly status?: Receipt['status'];
    readonly storeId?: string;
    readonly after?: string;
    readonly max: number;
  }): Promise<{
    readonly exceptions: UploadException[];
    readonly next: string | null;
  }>;
  /** Values of a record that lost a merge, oldest operation first. */
  readLost(record: { readonly collection: string; readonly key: string }, max: number): Promise<LostValue[]>;
  /** They are gone, with the personal data in them. */
  forgetLost(record: { readonly collection: string; readonly key: string }): Promise<void>;
  readException(opId: string): Promise<UploadException | null>;
  /** Those that wait for a record. */
  readHeld(waitsFor: string): Promise<UploadException[]>;
  /**
   * Closes an exception or gives it another state, with everything that follows, in one transaction conditional on the
   * exception as it was read; the replica learns of it by `readRevised`. `sender`: nobody decided it, so only as long
   * as this one of those who sent it is trusted (INV-25); null: a person decided.
   */
  closeException(
    before: UploadException,
    step: Pick<ApplyStep, 'writes' | 'lost'> & {
      readonly receipt: Receipt;
      readonly exception: UploadException | null;
      readonly by: string;
      readonly sender: string | null;
    },
  ): Promise<'closed' | 'conflict'>;
}

/** How a replica's work is announced; losing or doubling an announcement does no harm. */
export interface Doorbell {
  /** `correlationId`: of the request that brought the work, for the logs. */
  ring(replicaId: string, correlationId?: string): Promise<void>;
}
