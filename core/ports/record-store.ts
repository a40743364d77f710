import type { Fields } from '../../protocol/catalogue/record.ts';
import type { Scope } from '../../protocol/feed.ts';

/** Main data: the organization's records. Deletes are tombstones; nothing is ever removed. */
export interface MainRecord {
  readonly collection: string;
  readonly key: string;
  readonly rev: number;
  /** Whose feeds it is in, sorted, each once; the stores of none hold it. */
  readonly scopes: readonly Scope[];
  readonly deleted: boolean;
  /** Server time of the write, RFC 3339 UTC. */
  readonly updatedAt: string;
  readonly fields: Fields;
  /** What it belongs to, where the organization keeps customers by working set (`core/working-set/owner.ts`). */
  readonly owner?: string | undefined;
  /** Scopes it left, and when in milliseconds, as long as their feeds may lead to what it was (`core/records/left-scopes.ts`). */
  readonly left?: Readonly<Record<string, number>> | undefined;
  /** When each field was set that stores may set too, by the hybrid clock; absent: at the beginning of time. */
  readonly clocks?: Readonly<Record<string, number>> | undefined;
}

/** A write is conditional on the revision that was read; `null` means that there was no record. */
export interface RecordWrite {
  readonly record: MainRecord;
  readonly previousRev: number | null;
}

/** A part of a collection that one request reads. */
export interface BucketPart {
  readonly collection: string;
  /** 0 … `limits.recordBuckets` - 1. */
  readonly bucket: number;
  /** null: from the beginning. */
  readonly after: string | null;
  /** Records looked at, not those that match. */
  readonly limit: number;
}

export interface RecordStore {
  /** Strongly consistent; absent keys are absent from the map. */
  getMany(collection: string, keys: readonly string[]): Promise<ReadonlyMap<string, MainRecord>>;
  /**
   * Writes each record whose previous revision still stands, and says for each in order whether it was.
   * One that lost its race does not hold up the others.
   */
  writeMany(writes: readonly RecordWrite[]): Promise<('written' | 'conflict')[]>;
  /**
   * All of them or none; `conflict`: one of them moved, or the replica that they are of is revoked (INV-25). At most
   * `limits.transactionWritesMax`.
   */
  writeTogether(writes: readonly RecordWrite[], sender?: string): Promise<'written' | 'conflict'>;
  /** Raises one record's `rev` if it still is `rev`; its content stays. Another writer was faster: nothing happens. */
  raiseRev(record: { readonly collection: string; readonly key: string; readonly rev: number }, to: number): Promise<void>;
  /** Records of an owner, a part at a time. Follows main data a little later: an index of its own. */
  listOwned(owner: string): AsyncIterable<Pick<MainRecord, 'collection' | 'key'>[]>;
  /** Takes away tombstones for good, those whose `rev` still stands. Only for keys that say who somebody was. */
  purge(tombstones: readonly Pick<MainRecord, 'collection' | 'key' | 'rev'>[]): Promise<void>;
  /**
   * Some records of one of a collection's `limits.recordBuckets` buckets by key, deleted ones too. `next`: the `after` of the
   * part that follows; null: there is none. What is no record is left out and counted.
   */
  readBucket(part: BucketPart): Promise<{ records: MainRecord[]; unreadable: number; next: string | null }>;
  /** Live records; reads the whole collection, for people and audits only. */
  count(collection: string): Promise<number>;
}
