import { chainAfter } from '../../codec/operation-chain.ts';
import { clockAt, nextTick } from '../../core/outbox/hybrid-clock.ts';
import {
  ENTRY_STATUSES,
  type Entry,
  type EntryEvent,
  type EntryStatus,
  isClosed,
  isOpen,
  isWaiting,
  statusAfter,
} from '../../core/outbox/entry.ts';
import { type Settlement, settle } from '../../core/outbox/settle.ts';
import { assert } from '../../protocol/assert.ts';
import type { PushResponse } from '../../protocol/messages/push.ts';
import {
  CHAIN_START,
  OPEN_STATUSES,
  type Operation,
  type OutboxMark,
  type UploadProgress,
  WAITING_STATUSES,
} from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import { markOf, toEntry, toOperation } from './entry-row.ts';
import { OutboxDatabase } from './outbox-database.ts';

/**
 * What the store recorded and head office may not have yet (decision 0012): `outbox.sqlite`, apart from the replica,
 * which is thrown away and loaded again. Durable when a call returns. Several processes may have it open.
 *
 * Each entry has a number in its replica's sequence, without gaps, and an operation id that is its name for ever. A
 * receipt closes an entry and nothing else does (INV-10).
 */
export type NewOperation = Pick<Operation, 'collection' | 'key' | 'kind' | 'fields' | 'base'>;

export interface EntryFilter {
  readonly status?: EntryStatus;
  /** Entries after this id. */
  readonly after?: number;
  readonly limit: number;
}

/** As SQL has a list: waiting to be sent or for a receipt, or for somebody. */
const WAITING = inSql(WAITING_STATUSES);
const NOT_CLOSED = inSql([...WAITING_STATUSES, ...OPEN_STATUSES]);
/** Recorded here, and head office has not decided. */
const UNDECIDED = inSql([...WAITING_STATUSES, 'HELD']);

export class OutboxFile {
  readonly #db: OutboxDatabase;

  private constructor(db: OutboxDatabase) {
    this.#db = db;
  }

  /** `replicaId`: whose entries are recorded from now on; those of another that were not sent become its own. */
  static open(path: string, replicaId: string): OutboxFile {
    const outbox = new OutboxFile(new OutboxDatabase(path));
    try {
      if (outbox.#meta('replica') !== replicaId) outbox.restamp(replicaId);
      return outbox;
    } catch (error) {
      outbox.close();
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }

  /**
   * Looks at what is recorded of a record already and records one more operation of it, in one transaction. `decide`
   * gives null when there is nothing to record.
   */
  record(
    where: { readonly collection: string; readonly key: string },
    { now, opId }: { readonly now: number; readonly opId: string },
    decide: (entries: readonly Entry[]) => NewOperation | null,
  ): Operation | null {
    return this.#db.transaction(() => {
      const wanted = decide(this.entriesOf(where.collection, where.key));
      if (wanted === null) return null;
      const replicaId = this.#replicaId();
      const { seq: last, chain } = this.mark();
      const unchained = { ...wanted, seq: last + 1, opId, clock: nextTick(Math.max(this.#clock(), clockAt(wanted.base)), now) };
      const operation: Operation = { ...unchained, chain: chainAfter(chain, unchained) };
      this.#db.run(
        'INSERT INTO entry (replica_id, seq, op_id, collection, key, operation, status, captured_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        replicaId,
        operation.seq,
        opId,
        operation.collection,
        operation.key,
        JSON.stringify(operation),
        'PENDING',
        now,
      );
      this.#setMeta('clock', String(operation.clock));
      return operation;
    });
  }

  /** Of one record, in the order in which they were recorded. */
  entriesOf(collection: string, key: string): Entry[] {
    return this.#db.all('SELECT * FROM entry WHERE collection = ? AND key = ? ORDER BY id', collection, key).map(toEntry);
  }

  /** What of a collection was recorded here and head office has not decided about. */
  undecided(collection: string): Operation[] {
    return this.#db.all(`SELECT operation FROM entry WHERE collection = ? AND status IN (${UNDECIDED})`, collection).map(toOperation);
  }

  /** How many entries of each collection wait for a receipt, since when, and how many wait for a person. */
  standing(): Map<string, { waiting: number; open: number; oldestAt: number | null }> {
    const standing = new Map<string, { waiting: number; open: number; oldestAt: number | null }>();
    for (const row of this.#db.all(
      'SELECT collection, status, count(*) AS n, min(captured_at) AS oldest FROM entry GROUP BY collection, status',
    )) {
      const own = standing.get(String(row['collection'])) ?? { waiting: 0, open: 0, oldestAt: null };
      const status = row['status'] as EntryStatus;
      if (isWaiting(status)) {
        own.waiting += Number(row['n']);
        own.oldestAt = Math.min(own.oldestAt ?? Number.POSITIVE_INFINITY, Number(row['oldest']));
      } else if (isOpen(status)) own.open += Number(row['n']);
      standing.set(String(row['collection']), own);
    }
    return standing;
  }

  /**
   * What is closed and still here is recorded again at the end of the sequence, under its own name: head office finds it there
   * already, or takes it if it was lost. Deletions are left out, because what was deleted may have been made again since. Counts by
   * collection; bytes as JSON.
   */
  resubmit(
    collections: ReadonlySet<string>,
    { preview }: { readonly preview: boolean },
  ): { readonly counts: ReadonlyMap<string, number>; readonly bytes: number } {
    return this.#db.transaction(() => {
      const counts = new Map<string, number>();
      let bytes = 0;
      for (const row of this.#db.all('SELECT * FROM entry ORDER BY id')) {
        const { operation, status } = toEntry(row);
        if (!isClosed(status) || operation.kind === 'delete' || !collections.has(operation.collection)) continue;
        counts.set(operation.collection, (counts.get(operation.collection) ?? 0) + 1);
        bytes += Buffer.byteLength(String(row['operation']));
        if (!preview) this.#append(operation, Number(row['id']));
      }
      return { counts, bytes };
    });
  }

  #append(known: Operation, id: number): void {
    const { chain: _, ...rest } = known;
    const mark = this.mark();
    const unchained = { ...rest, seq: mark.seq + 1 };
    const operation: Operation = { ...unchained, chain: chainAfter(mark.chain, unchained) };
    this.#db.run(
      "UPDATE entry SET replica_id = ?, seq = ?, operation = ?, status = 'PENDING', receipt = NULL, settled_at = NULL WHERE id = ?",
      this.#replicaId(),
      operation.seq,
      JSON.stringify(operation),
      id,
    );
  }

  /** Where this replica's outbox ends. */
  mark(): OutboxMark {
    const row = this.#db.get('SELECT operation FROM entry WHERE replica_id = ? ORDER BY seq DESC LIMIT 1', this.#replicaId());
    return row === undefined ? this.storedMark() : markOf(toOperation(row));
  }

  /** Where what head office has stored of it ends. */
  storedMark(): OutboxMark {
    return { seq: Number(this.#meta('stored_seq') ?? 0), chain: this.#meta('stored_chain') ?? CHAIN_START };
  }

  /** Where the entry with this number ends; null when it is not here any more. */
  markAt(seq: number): OutboxMark | null {
    if (seq === 0) return { seq, chain: CHAIN_START };
    const row = this.#db.get('SELECT operation FROM entry WHERE replica_id = ? AND seq = ?', this.#replicaId(), seq);
    return row === undefined ? null : markOf(toOperation(row));
  }

  /** Receipts up to here are taken. */
  receiptsThrough(): number {
    return Number(this.#meta('receipts_through') ?? 0);
  }

  /** Changes of receipts up to here are taken. */
  revisedThrough(): number {
    return Number(this.#meta('revised_through') ?? 0);
  }

  /** What was heard of it, for the next question. */
  heard(): { readonly receiptsAfter: number; readonly revisedAfter: number } {
    return { receiptsAfter: this.receiptsThrough(), revisedAfter: this.revisedThrough() };
  }

  /** In order, what head office has not stored yet. */
  unsent(limit: number): Operation[] {
    return this.operationsAfter(this.storedMark().seq, limit);
  }

  /** In order, from the one after `seq` on. */
  operationsAfter(seq: number, limit: number): Operation[] {
    return this.#db
      .all('SELECT operation FROM entry WHERE replica_id = ? AND seq > ? ORDER BY seq LIMIT ?', this.#replicaId(), seq, limit)
      .map(toOperation);
  }

  /** Entries that head office has not stored yet. Looked at every two seconds, so not counted: numbers have no gaps. */
  unsentCount(): number {
    return this.mark().seq - this.storedMark().seq;
  }

  /** Entries that nobody has closed: not sent, or without a receipt. */
  countOpen(): { readonly unsent: number; readonly withoutReceipt: number } {
    const waiting = this.#db.get(`SELECT count(*) AS n FROM entry WHERE status IN (${WAITING})`);
    return { unsent: this.unsentCount(), withoutReceipt: Number(waiting?.['n']) };
  }

  counts(): Record<EntryStatus, number> {
    const counts = Object.fromEntries(ENTRY_STATUSES.map((status) => [status, 0])) as Record<EntryStatus, number>;
    for (const row of this.#db.all('SELECT status, count(*) AS n FROM entry GROUP BY status'))
      counts[row['status'] as EntryStatus] = Number(row['n']);
    return counts;
  }

  list({ status, after = 0, limit }: EntryFilter): (Entry & { readonly id: number })[] {
    const rows =
      status === undefined
        ? this.#db.all('SELECT * FROM entry WHERE id > ? ORDER BY id LIMIT ?', after, limit)
        : this.#db.all('SELECT * FROM entry WHERE status = ? AND id > ? ORDER BY id LIMIT ?', status, after, limit);
    return rows.map((row) => ({ id: Number(row['id']), ...toEntry(row) }));
  }

  /** What happened to operations on their way. */
  note(operations: readonly Operation[], event: EntryEvent): void {
    this.#db.transaction(() => {
      for (const { opId } of operations) {
        const row = this.#db.get('SELECT status FROM entry WHERE op_id = ?', opId);
        if (row === undefined) continue;
        const status = statusAfter(row['status'] as EntryStatus, event);
        this.#db.run('UPDATE entry SET status = ?, attempts = attempts + ? WHERE op_id = ?', status, event === 'given' ? 1 : 0, opId);
      }
    });
  }

  /** What head office answered: how far it has stored, and what became of operations. */
  acknowledge(answer: Pick<PushResponse, 'storedThrough' | 'receipts' | 'revised' | 'revisedThrough'>): void {
    this.#db.transaction(() => {
      const before = this.storedMark();
      if (answer.storedThrough > before.seq) this.#setStored(answer.storedThrough);
      const named = [...answer.receipts, ...answer.revised];
      const known = new Map(
        named.flatMap(({ opId }) => {
          const row = this.#db.get('SELECT * FROM entry WHERE op_id = ?', opId);
          return row === undefined ? [] : [[opId, toEntry(row)] as const];
        }),
      );
      for (const settlement of settle(known, answer)) this.#settle(settlement);
      if (answer.revisedThrough !== undefined) this.#setMeta('revised_through', String(answer.revisedThrough));
      const last = answer.receipts.at(-1);
      if (last !== undefined && last.seq > this.receiptsThrough()) this.#setMeta('receipts_through', String(last.seq));
    });
  }

  /** Whether head office has less than it said once: it was restored from a backup. */
  isAheadOf({ storedThrough, appliedThrough, revisions }: UploadProgress): boolean {
    return storedThrough < this.storedMark().seq || appliedThrough < this.receiptsThrough() || revisions < this.revisedThrough();
  }

  /** Whether head office has something to say of what was recorded here, although nothing waits to be sent. */
  isBehind({ appliedThrough, revisions }: UploadProgress): boolean {
    return appliedThrough > this.receiptsThrough() || revisions > this.revisedThrough();
  }

  /**
   * Head office has less than it said once: from there on everything is sent again, and what it said about what it has not
   * applied is void, because it will be judged anew.
   */
  rewind({ storedThrough, appliedThrough, revisions }: UploadProgress): void {
    this.#db.transaction(() => {
      if (storedThrough < this.storedMark().seq) this.#setStored(storedThrough);
      this.#setMeta('receipts_through', String(Math.min(this.receiptsThrough(), appliedThrough)));
      this.#setMeta('revised_through', String(Math.min(this.revisedThrough(), revisions)));
      this.#db.run(
        "UPDATE entry SET status = 'PENDING', receipt = NULL, settled_at = NULL WHERE replica_id = ? AND seq > ? AND receipt IS NOT NULL",
        this.#replicaId(),
        appliedThrough,
      );
    });
  }

  /**
   * What is not closed becomes the beginning of another replica's sequence, in the same order and under the same names, so
   * whatever head office has of it already is a duplicate there. What waits for somebody goes with it, so that this replica
   * hears as well what becomes of it.
   */
  restamp(replicaId: string): void {
    this.#db.transaction(() => {
      const rows = this.#db.all(`SELECT * FROM entry WHERE status IN (${NOT_CLOSED}) ORDER BY id`);
      let mark: OutboxMark = { seq: 0, chain: CHAIN_START };
      for (const row of rows) {
        const { chain: _, ...known } = toOperation(row);
        const unchained = { ...known, seq: mark.seq + 1 };
        const operation: Operation = { ...unchained, chain: chainAfter(mark.chain, unchained) };
        this.#db.run(
          "UPDATE entry SET replica_id = ?, seq = ?, operation = ?, status = 'PENDING', receipt = NULL, settled_at = NULL WHERE id = ?",
          replicaId,
          operation.seq,
          JSON.stringify(operation),
          Number(row['id']),
        );
        mark = markOf(operation);
      }
      this.#setMeta('replica', replicaId);
      this.#setMeta('stored_seq', '0');
      this.#setMeta('stored_chain', CHAIN_START);
      this.#setMeta('receipts_through', '0');
      this.#setMeta('revised_through', '0');
    });
  }

  /**
   * Entries that were closed before: nothing will come of them. What is stored last stays, as the end of the chain. Some at
   * a time, because the till waits; the next call goes on.
   */
  purge(before: number): number {
    return this.#db.transaction(() => {
      const { seq: last } = this.mark();
      const rows = this.#db.all(
        `SELECT id FROM entry WHERE settled_at < ? AND status NOT IN (${NOT_CLOSED}) AND NOT (replica_id = ? AND seq = ?) LIMIT ?`,
        before,
        this.#replicaId(),
        last,
        agentLimits.outboxPurgeMax,
      );
      for (const row of rows) this.#db.run('DELETE FROM entry WHERE id = ?', Number(row['id']));
      return rows.length;
    });
  }

  #settle({ opId, receipt }: Settlement): void {
    this.#db.run(
      'UPDATE entry SET status = ?, receipt = ?, settled_at = ? WHERE op_id = ?',
      receipt.status,
      JSON.stringify(receipt),
      Date.parse(receipt.at),
      opId,
    );
  }

  #setStored(seq: number): void {
    const mark = this.markAt(seq);
    if (mark === null) throw new SyncError('REPLICA_FORKED', `head office has an operation ${seq} that this outbox does not have`);
    this.#setMeta('stored_seq', String(seq));
    this.#setMeta('stored_chain', mark.chain);
  }

  #replicaId(): string {
    const id = this.#meta('replica');
    assert(id !== null, 'an open outbox belongs to a replica');
    return id;
  }

  #clock(): number {
    return Number(this.#meta('clock') ?? 0);
  }

  #meta(name: string): string | null {
    const value = this.#db.get('SELECT value FROM meta WHERE name = ?', name)?.['value'];
    return value === undefined ? null : String(value);
  }

  #setMeta(name: string, value: string): void {
    this.#db.run('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', name, value);
  }
}

function inSql(statuses: readonly EntryStatus[]): string {
  return statuses.map((status) => `'${status}'`).join(', ');
}
