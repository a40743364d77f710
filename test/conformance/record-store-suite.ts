import { expect, test } from 'vitest';
import { byKey } from '../../core/feed/page-sections.ts';
import type { MainRecord, RecordStore } from '../../core/ports/record-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import { limits } from '../../protocol/limits.ts';

/** What every store of main data promises. `fresh` gives an unused collection name. */
export function recordStoreSuite(
  open: () => Promise<RecordStore>,
  fresh: () => string,
  enrolled: () => Promise<{ readonly replicaId: string; readonly registry: Pick<StoreRegistry, 'retireReplica' | 'revokeReplica'> }>,
): void {
  const record = (collection: string, key: string, rev: number, deleted = false): MainRecord => ({
    collection,
    key,
    rev,
    scopes: ['org'],
    deleted,
    updatedAt: '2026-11-23T08:00:00.000Z',
    fields: deleted ? {} : { name: `n${rev}`, yes: true, count: 3 },
  });

  test('what was written is read back, field by field', async () => {
    const store = await open();
    const collection = fresh();
    const written = Array.from({ length: 250 }, (_, index) => record(collection, `k${index}`, index + 1));
    written.push({ ...record(collection, 'more', 999), owner: 'customer/1', left: { 'store:S1': 5 }, clocks: { name: 7 } });
    expect(new Set(await store.writeMany(written.map((one) => ({ record: one, previousRev: null }))))).toEqual(new Set(['written']));
    const keys = written.map((one) => one.key);
    expect([...(await store.getMany(collection, [...keys, 'absent'])).values()].sort((a, b) => a.rev - b.rev)).toEqual(written);
    expect(await store.count(collection)).toBe(251);
  });

  test('INV-07: a revision is raised only from the one that was seen, and the content stays', async () => {
    const store = await open();
    const collection = fresh();
    await store.writeMany([{ record: record(collection, 'a', 5), previousRev: null }]);
    await store.raiseRev({ collection, key: 'a', rev: 4 }, 9);
    expect((await store.getMany(collection, ['a'])).get('a')).toEqual(record(collection, 'a', 5));
    await store.raiseRev({ collection, key: 'a', rev: 5 }, 9);
    await store.raiseRev({ collection, key: 'a', rev: 5 }, 11);
    expect((await store.getMany(collection, ['a'])).get('a')).toEqual({ ...record(collection, 'a', 5), rev: 9 });
    await store.raiseRev({ collection, key: 'absent', rev: 5 }, 9);
    expect((await store.getMany(collection, ['absent'])).size).toBe(0);
  });

  test('a write is conditional on the revision that was read, and one loser holds up nobody', async () => {
    const store = await open();
    const collection = fresh();
    await store.writeMany([{ record: record(collection, 'a', 5), previousRev: null }]);
    const outcomes = await store.writeMany([
      { record: record(collection, 'a', 6), previousRev: 4 },
      { record: record(collection, 'b', 1), previousRev: null },
      { record: record(collection, 'c', 9), previousRev: 8 },
    ]);
    expect(outcomes).toEqual(['conflict', 'written', 'conflict']);
    expect((await store.getMany(collection, ['a'])).get('a')?.rev).toBe(5);
    expect(await store.writeMany([{ record: record(collection, 'a', 6), previousRev: 5 }])).toEqual(['written']);
    expect(await store.writeMany([{ record: record(collection, 'a', 7), previousRev: null }])).toEqual(['conflict']);
  });

  test('INV-16: what is written together is all there or not at all', async () => {
    const store = await open();
    const collection = fresh();
    const together = (...writes: [string, number, number | null][]) =>
      store.writeTogether(writes.map(([key, rev, previousRev]) => ({ record: record(collection, key, rev), previousRev })));
    expect(await together(['a', 5, null], ['b', 5, null])).toBe('written');
    expect(await together(['c', 6, null], ['a', 6, 4])).toBe('conflict');
    expect(await together(['b', 6, 5], ['a', 6, null])).toBe('conflict');
    expect([...(await store.getMany(collection, ['a', 'b', 'c'])).values()].map(({ rev }) => rev)).toEqual([5, 5]);
    expect(await together(['a', 6, 5], ['c', 1, null])).toBe('written');
  });

  test('INV-25: what a replica sent is written as long as it is trusted', async () => {
    const store = await open();
    const collection = fresh();
    const { replicaId, registry } = await enrolled();
    const write = (key: string, sender: string) => store.writeTogether([{ record: record(collection, key, 1), previousRev: null }], sender);
    expect(await write('active', replicaId)).toBe('written');
    await registry.retireReplica(replicaId);
    expect(await write('retired', replicaId)).toBe('written');
    await registry.revokeReplica(replicaId);
    expect([await write('revoked', replicaId), await write('nobody', `${replicaId}-nobody`)]).toEqual(['conflict', 'conflict']);
    expect([...(await store.getMany(collection, ['active', 'retired', 'revoked', 'nobody'])).keys()].toSorted()).toEqual([
      'active',
      'retired',
    ]);
  });

  test('records are listed by their owner, tombstones too, and leave the list with it', async () => {
    const store = await open();
    const collection = fresh();
    const [mine, other] = [`customer/${collection}`, `customer/${collection}-2`];
    const written = [
      { ...record(collection, 'a', 5), owner: mine },
      { ...record(collection, 'b', 5, true), owner: mine },
      { ...record(collection, 'c', 5), owner: other },
      record(collection, 'd', 5),
    ];
    await store.writeMany(written.map((one) => ({ record: one, previousRev: null })));
    const listed = async (owner: string) =>
      (await Array.fromAsync(store.listOwned(owner)))
        .flat()
        .map(({ key }) => key)
        .sort();
    expect([await listed(mine), await listed(other), await listed('customer/nobody')]).toEqual([['a', 'b'], ['c'], []]);
    await store.writeMany([{ record: { ...record(collection, 'a', 6), owner: other }, previousRev: 5 }]);
    expect([await listed(mine), await listed(other)]).toEqual([['b'], ['a', 'c']]);
    expect((await store.getMany(collection, ['a'])).get('a')?.owner).toBe(other);
  });

  test('only a tombstone is purged, and only the one that was seen', async () => {
    const store = await open();
    const collection = fresh();
    const written = [record(collection, 'a', 5, true), record(collection, 'b', 5, true), record(collection, 'c', 5)];
    await store.writeMany(written.map((one) => ({ record: one, previousRev: null })));
    const seen = [
      { collection, key: 'a', rev: 5 },
      { collection, key: 'b', rev: 4 },
      { collection, key: 'c', rev: 5 },
    ];
    for (let times = 0; times < 2; times += 1) await store.purge(seen);
    expect([...(await store.getMany(collection, ['a', 'b', 'c'])).keys()].sort()).toEqual(['b', 'c']);
  });

  test('buckets give every record once, in parts', async () => {
    const store = await open();
    const collection = fresh();
    const written = Array.from({ length: 300 }, (_, index) => record(collection, `k${index}`, 1, index % 7 === 0));
    await store.writeMany(written.map((one) => ({ record: one, previousRev: null })));
    const found: MainRecord[] = [];
    for (let bucket = 0; bucket < limits.recordBuckets; bucket += 1) {
      let after: string | null = null;
      do {
        const part = await store.readBucket({ collection, bucket, after, limit: 2 });
        expect(part.records.length).toBeLessThanOrEqual(2);
        found.push(...part.records);
        after = part.next;
      } while (after !== null);
    }
    expect(found.sort(byKey)).toEqual(written.sort(byKey));
  });

  test('a tombstone is a record that does not count', async () => {
    const store = await open();
    const collection = fresh();
    await store.writeMany([{ record: record(collection, 'a', 1), previousRev: null }]);
    await store.writeMany([{ record: record(collection, 'a', 2, true), previousRev: 1 }]);
    expect((await store.getMany(collection, ['a'])).get('a')).toEqual(record(collection, 'a', 2, true));
    expect(await store.count(collection)).toBe(0);
  });

  test('many large records of wide characters are written in one call', async () => {
    const store = await open();
    const collection = fresh();
    const writes = Array.from({ length: 40 }, (_, index) => ({
      record: { ...record(collection, `k${index}`, 1), fields: { body: '€'.repeat(50_000) } },
      previousRev: null,
    }));
    expect(await store.writeMany(writes)).toEqual(writes.map(() => 'written'));
    expect(await store.count(collection)).toBe(40);
  });
}
