import type { RecordStore, MainRecord } from '../../core/ports/record-store.ts';
import { neededRecords } from '../../core/upload/decide-operation.ts';
import type { Seen } from '../../core/upload/verdict.ts';
import { assert } from '../../protocol/assert.ts';
import type { Operation } from '../../protocol/operation.ts';

/** Loads what operations are judged by, in as many rounds as it takes: one record may name the next. */
export async function loadRecords(records: Pick<RecordStore, 'getMany'>, operations: readonly Operation[]): Promise<Seen> {
  const loaded = new LoadedRecords();
  for (;;) {
    const missing = new Map<string, Set<string>>();
    for (const operation of operations)
      for (const { collection, key } of neededRecords(operation, loaded.known))
        if (!loaded.has(collection, key)) missing.set(collection, (missing.get(collection) ?? new Set()).add(key));
    if (missing.size === 0) return loaded;
    await Promise.all(
      [...missing].map(async ([collection, keys]) => loaded.add(collection, keys, await records.getMany(collection, [...keys]))),
    );
  }
}

class LoadedRecords implements Seen {
  readonly #records = new Map<string, MainRecord | null>();
  /** For finding out what else is needed: what is not loaded is not there yet. */
  readonly known: Seen = { get: (collection, key) => this.#records.get(`${collection}/${key}`) ?? null };

  has(collection: string, key: string): boolean {
    return this.#records.has(`${collection}/${key}`);
  }

  add(collection: string, keys: Iterable<string>, found: ReadonlyMap<string, MainRecord>): void {
    for (const key of keys) this.#records.set(`${collection}/${key}`, found.get(key) ?? null);
  }

  get(collection: string, key: string): MainRecord | null {
    const record = this.#records.get(`${collection}/${key}`);
    assert(record !== undefined, `${collection} was loaded before it was judged by`);
    return record;
  }
}
