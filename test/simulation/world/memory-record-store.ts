import { byKey } from '../../../core/feed/page-sections.ts';
import { keyHash } from '../../../core/key-hash.ts';
import type { BucketPart, MainRecord, RecordStore, RecordWrite } from '../../../core/ports/record-store.ts';
import { limits } from '../../../protocol/limits.ts';
import type { StreamRecord } from '../../../core/feed/route-change.ts';
import type { Faults } from './faults.ts';

/** Main data in memory with its change stream: `stream` holds what a consumer would be given, in order. */
export class MemoryRecordStore implements RecordStore {
  readonly records = new Map<string, MainRecord>();
  readonly stream: StreamRecord[] = [];
  readonly #faults: Faults;
  readonly #now: () => number;
  readonly #isTrusted: (replicaId: string) => boolean;

  constructor(faults: Faults, now: () => number, isTrusted: (replicaId: string) => boolean = () => true) {
    this.#faults = faults;
    this.#now = now;
    this.#isTrusted = isTrusted;
  }

  getMany(collection: string, keys: readonly string[]): Promise<ReadonlyMap<string, MainRecord>> {
    return this.#faults.strike('getMany', () => {
      const found = new Map<string, MainRecord>();
      for (const key of keys) {
        const record = this.records.get(`${collection}/${key}`);
        if (record !== undefined) found.set(key, record);
      }
      return found;
    });
  }

  writeMany(writes: readonly RecordWrite[]): Promise<('written' | 'conflict')[]> {
    return this.#faults.strike('writeMany', () =>
      writes.map(({ record, previousRev }) => {
        const id = `${record.collection}/${record.key}`;
        const before = this.records.get(id) ?? null;
        if ((before?.rev ?? null) !== previousRev) return 'conflict';
        this.#put(before, record);
        return 'written';
      }),
    );
  }

  writeTogether(writes: readonly RecordWrite[], sender?: string): Promise<'written' | 'conflict'> {
    return this.#faults.strike('writeTogether', () => {
      const isGood = sender === undefined || this.#isTrusted(sender);
      return isGood && this.writeAtOnce(writes) ? 'written' : 'conflict';
    });
  }

  /** All of them or none; false: one of them moved. */
  writeAtOnce(writes: readonly RecordWrite[]): boolean {
    const before = writes.map(({ record }) => this.records.get(`${record.collection}/${record.key}`) ?? null);
    if (writes.some(({ previousRev }, index) => (before[index]?.rev ?? null) !== previousRev)) return false;
    for (const [index, { record }] of writes.entries()) this.#put(before[index] ?? null, record);
    return true;
  }

  raiseRev({ collection, key, rev }: { collection: string; key: string; rev: number }, to: number): Promise<void> {
    return this.#faults.strike('raiseRev', () => {
      const before = this.records.get(`${collection}/${key}`);
      if (before?.rev === rev) this.#put(before, { ...before, rev: to });
    });
  }

  /** A writer that does not know our rules: changes a record and leaves its `rev`. */
  writeWithoutRev(record: MainRecord): void {
    this.#put(this.records.get(`${record.collection}/${record.key}`) ?? null, record);
  }

  #put(before: MainRecord | null, after: MainRecord): void {
    this.records.set(`${after.collection}/${after.key}`, after);
    this.stream.push({ sequenceNumber: String(this.stream.length + 1), at: this.#now(), before, after });
  }

  /** What the index does not have yet. */
  readonly unindexed = new Set<string>();

  async *listOwned(owner: string): AsyncGenerator<Pick<MainRecord, 'collection' | 'key'>[]> {
    yield await this.#faults.strike('listOwned', () =>
      [...this.records]
        .filter(([id, record]) => record.owner === owner && !this.unindexed.has(id))
        .map(([, { collection, key }]) => ({ collection, key })),
    );
  }

  purge(tombstones: readonly Pick<MainRecord, 'collection' | 'key' | 'rev'>[]): Promise<void> {
    return this.#faults.strike('purge', () => {
      for (const { collection, key, rev } of tombstones) {
        const before = this.records.get(`${collection}/${key}`);
        if (before?.rev !== rev || !before.deleted) continue;
        this.records.delete(`${collection}/${key}`);
        this.stream.push({ sequenceNumber: String(this.stream.length + 1), at: this.#now(), before, after: null });
      }
    });
  }

  readBucket({ collection, bucket, after, limit }: BucketPart) {
    return this.#faults.strike('readBucket', () => {
      const rest = [...this.records.values()]
        .filter((record) => record.collection === collection && keyHash(record.key) % limits.recordBuckets === bucket)
        .filter(({ key }) => after === null || key > after)
        .sort(byKey);
      const records = rest.slice(0, limit);
      return { records, unreadable: 0, next: rest.length > limit ? (records.at(-1)?.key ?? null) : null };
    });
  }

  count(collection: string): Promise<number> {
    return this.#faults.strike(
      'count',
      () => [...this.records.values()].filter((record) => record.collection === collection && !record.deleted).length,
    );
  }
}
