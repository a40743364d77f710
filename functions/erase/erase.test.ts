import { beforeEach, expect, test } from 'vitest';
import { unpack } from '../../codec/pack.ts';
import { decideFeed } from '../../core/plan/decide-feed.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { EraseRequest } from '../../protocol/messages/erase.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, SEALING } from '../../test/simulation/world/head-office.ts';
import { MemoryErasureStore } from '../../test/simulation/world/memory-erasure-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUploadStore } from '../../test/simulation/world/memory-upload-store.ts';
import { rescope } from '../rescope/rescope.ts';
import { type EraseDeps, eraseStep } from './erase.ts';

/** Words that stand in what is of customer 7 and nowhere else. */
const CANARY = /Canaria|447700900007|canaria@/;
const FEED: FeedName = 'Customer@org';
const bill = (id: string, userId: string) => ({
  till_code: 'T1',
  bill_client_id: id,
  type: 'REGULAR',
  number: id,
  billing_time: '2026-11-01T10:00:00Z',
  billing_zone: 'Europe/London',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: 'S1',
  user_id: userId,
  notes: userId === '7' ? 'for Canaria' : 'thanks',
});

let head: HeadOffice;
let deps: EraseDeps;
let delivered = 0;

beforeEach(async () => {
  head = new HeadOffice(Faults.none(), { rowsTarget: 4, rowsMax: 8 });
  delivered = 0;
  deps = {
    feeds: head.feeds,
    objects: head.objects,
    records: head.records,
    clock: head.clock,
    ids: head.ids,
    sealing: SEALING,
    sizes: head.sizes,
    erasures: new MemoryErasureStore(),
    quarantine: {
      list: () => Promise.resolve({ entries: [...head.quarantine.values()], next: null }),
      remove: (ids) => {
        for (const id of ids) head.quarantine.delete(id);
        return Promise.resolve();
      },
    },
    registry: new MemoryStoreRegistry(),
    uploads: new MemoryUploadStore(Faults.none(), head.records, () => true),
    scopes: {},
  };
  await head.write('customer', [
    ...Array.from({ length: 20 }, (_, index) => ({ user_id: String(100 + index), firstname: `n${index}` })),
    { user_id: '7', firstname: 'Canaria', mobile: '+447700900007', email: 'canaria@example.org' },
  ]);
  await head.write('customer_identifier', [
    { source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900007', user_id: '7' },
    { source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900100', user_id: '100' },
  ]);
  await head.write('bill', [bill('b7', '7'), bill('b100', '100')]);
  await head.write('bill_line', [
    {
      till_code: 'T1',
      bill_client_id: 'b7',
      line_seq: 1,
      currency_code: 'GBP',
      amount: '12.5',
      extended_fields: '{"engraving":"Canaria"}',
    },
    { till_code: 'T1', bill_client_id: 'b100', line_seq: 1, currency_code: 'GBP', amount: '12.5' },
  ]);
  await drain();
  await head.compact(FEED);
});

async function drain(): Promise<void> {
  while (delivered < head.records.stream.length) delivered = await head.deliver(delivered, head.records.stream.length);
}

const step = <T>(request: EraseRequest) => eraseStep(deps, request) as Promise<T>;

/** As the command line does it. */
async function erase(userId: string): Promise<{ deleted: number; stripped: number }> {
  const begin = { op: 'begin' as const, userId, reason: 'asked for it', by: 'ann' };
  const { collections, parents } = await step<{ collections: string[]; parents: string[] }>(begin);
  const counts = { deleted: 0, stripped: 0 };
  for (const collection of collections) {
    for (let bucket = 0; bucket < limits.recordBuckets; bucket += 1) {
      const part = await step<{ deleted: number; stripped: number; parents: string[] }>({
        op: 'records',
        userId,
        collection,
        bucket,
        after: null,
        parents,
      });
      counts.deleted += part.deleted;
      counts.stripped += part.stripped;
      parents.push(...part.parents);
    }
  }
  await drain();
  await step({ op: 'quarantine', userId });
  const { feeds } = await step<{ feeds: { feed: string }[] }>(begin);
  for (const { feed } of feeds) await step({ op: 'forget', userId, feed });
  await step({ op: 'finish', userId });
  return counts;
}

async function objectsWith(pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const [key, bytes] of head.objects.objects)
    if (pattern.test((await unpack(bytes, { rawBytesMax: 1 << 26 })).toString('utf8'))) found.push(key);
  return found;
}

test('the person goes from main data, the books stay, and nobody else is touched', async () => {
  const others = [...head.records.records.values()].filter(({ key, fields }) => !/7$|b7/.test(key) && fields['user_id'] !== '7');
  expect(await erase('7')).toEqual({ deleted: 2, stripped: 2 });
  expect(JSON.stringify([...head.records.records.values()].map(({ fields }) => fields))).not.toMatch(CANARY);
  expect(head.records.records.get('customer/7')).toMatchObject({ deleted: true, fields: {} });
  expect(head.records.records.get('bill/T1/b7')?.fields).toMatchObject({
    amount: '12.5',
    number: 'b7',
    user_id: expect.stringMatching(/^erased-/) as string,
  });
  for (const other of others) expect(head.records.records.get(`${other.collection}/${other.key}`)).toEqual(other);
  expect(await erase('7')).toEqual({ deleted: 0, stripped: 0 });
});

test('INV-42: values of theirs that lost a merge go, and those of others stay', async () => {
  const uploads = deps.uploads as MemoryUploadStore;
  const lost = (key: string) => ({
    opId: key,
    collection: 'customer',
    key,
    field: 'firstname',
    lost: 'Canaria',
    kept: 'x',
    from: 'r',
    clock: 1,
    at: '',
  });
  uploads.lost.push(lost('7'), lost('100'));
  await erase('7');
  expect(uploads.lost).toEqual([lost('100')]);
});

test('with customers by working set, what stays leads to the pseudonym only', async () => {
  head.scopes = { Customer: 'working-set' };
  await head.write('bill', [bill('owned', '7')]);
  expect(head.records.records.get('bill/T1/owned')?.owner).toBe('customer/7');
  await erase('7');
  const { owner, fields } = head.records.records.get('bill/T1/owned') ?? {};
  expect(owner).toBe(`customer/${String(fields?.['user_id'])}`);
  expect([...head.records.records.values()].filter((record) => !record.deleted && record.owner === 'customer/7')).toEqual([]);
});

test('INV-42: a store that lost the customer before forgets them as well', async () => {
  head.scopes = { Customer: 'working-set' };
  const lost: FeedName = 'Customer@store:S1';
  const kept: FeedName = 'Customer@store:S2';
  const place = async (user: string, store: string) => {
    head.now += 1_000;
    await head.write('customer', [{ user_id: user, firstname: user === '9' ? 'Canaria' : user, registered_store: store }]);
    await drain();
    const requests = { send: () => Promise.resolve() };
    while (head.rescopes.length > 0) {
      await rescope({ records: head.records, clock: head.clock, requests }, head.rescopes.splice(0));
      await drain();
    }
    await head.seal(lost);
  };
  await place('9', 'S1');
  for (let other = 0; other < 12; other += 1) await place(`a${other}`, 'S1');
  await place('9', 'S2');
  for (let other = 0; other < 12; other += 1) await place(`b${other}`, 'S1');
  await head.compact(lost);
  await head.compact(kept);
  await erase('7');
  expect((await objectsWith(/Canaria/)).some((key) => key.includes('S1'))).toBe(true);
  await erase('9');
  head.now += limits.snapshotLifeMs + 1;
  await step({ op: 'sweep' });
  expect(await objectsWith(/Canaria/)).toEqual([]);
});

test('INV-42: it goes from the newest snapshot at once, from the bucket when it is swept, and nothing needed goes with it', async () => {
  await erase('7');
  expect([...(await head.snapshotState(await head.manifest(FEED))).values()].join('\n')).not.toMatch(CANARY);
  expect((await objectsWith(CANARY)).length).toBeGreaterThan(0);
  await step({ op: 'sweep' });
  // A store may be loading the snapshot before it.
  expect((await objectsWith(CANARY)).length).toBeGreaterThan(0);
  head.now += limits.snapshotLifeMs + 1;
  await step({ op: 'sweep' });
  // What still names them are tombstones, by their keys.
  expect(await objectsWith(/Canaria|canaria@/)).toEqual([]);
  head.now += limits.erasurePurgeMs;
  expect(await step({ op: 'sweep' })).toMatchObject({ purged: 1 });
  await drain();
  head.now += limits.snapshotLifeMs + 1;
  await step({ op: 'sweep' });
  expect(await objectsWith(CANARY)).toEqual([]);
  expect([...head.records.records.keys()].join('\n')).not.toMatch(CANARY);
  const state = await head.snapshotState(await head.manifest(FEED));
  expect([...state.keys()].filter((key) => key.startsWith('customer/'))).toHaveLength(20);
  const { head: at } = head.feeds.feeds.get(FEED) ?? { head: { position: 0 } };
  expect(state).toEqual(await head.foldOf(FEED, at.position));
});

test('a feed that forgot leads every store to its snapshot, wherever it was', async () => {
  const before = head.feeds.feeds.get(FEED)?.head;
  await erase('7');
  const state = (await head.feeds.readFeeds([FEED])).get(FEED);
  if (state === undefined || before === undefined) throw new Error('there is no feed');
  const index = await head.feeds.readSegments(state.head);
  for (let position = 0; position < state.head.position; position += 1) {
    const cursor = { generation: before.generation, position };
    expect(decideFeed({ state, index, cursor, want: 'tail', snapshotPagesBehindMax: 10, horizonAt: 0 }).action).toBe('reconcile');
  }
});

test('what somebody else got in the meantime is not purged', async () => {
  await erase('7');
  head.now += 60_000;
  await head.write('customer_identifier', [{ source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900007', user_id: '100' }]);
  await drain();
  head.now += limits.erasurePurgeMs;
  await step({ op: 'sweep' });
  await drain();
  await head.compact(FEED);
  const state = await head.snapshotState(await head.manifest(FEED));
  expect([...state.keys()].filter((key) => key.endsWith('447700900007'))).toHaveLength(1);
});

test('a sweep while compactions go on takes nothing that is needed', async () => {
  for (let round = 0; round < 12; round += 1) {
    await head.write('customer', [{ user_id: String(100 + round), firstname: `again ${round}` }]);
    await drain();
    await head.compact(FEED);
    head.now += limits.snapshotLifeMs / 3;
    const swept = step<{ objects: number }>({ op: 'sweep' });
    await head.write('customer', [{ user_id: String(120 - round), firstname: `meanwhile ${round}` }]);
    await drain();
    await head.compact(FEED);
    await swept;
    await head.snapshotState(await head.manifest(FEED));
    for (const key of (await head.manifest(FEED)).collections.flatMap(({ chunks }) => chunks.map(({ sha256 }) => sha256)))
      expect([...head.objects.objects.keys()].some((name) => name.endsWith(key))).toBe(true);
  }
  expect(head.objects.objects.size).toBeLessThan(80);
});

test('one who was deleted before is erased from what still remembers', async () => {
  await head.write('customer', [], ['7']);
  await head.write('customer_identifier', [], ['INSTORE/-/MOBILE/447700900007']);
  await drain();
  expect(await erase('7')).toMatchObject({ deleted: 0 });
  for (const ms of [limits.snapshotLifeMs, limits.erasurePurgeMs, limits.snapshotLifeMs]) {
    head.now += ms + 1;
    await step({ op: 'sweep' });
    await drain();
  }
  expect(await objectsWith(/Canaria|canaria@/)).toEqual([]);
  expect(head.records.records.has('customer/7')).toBe(false);
});

test('what was quarantined of them is taken out', async () => {
  const entry = { source: 'feed-writer', reason: 'r', at: '2026-11-23T08:00:00.000Z' };
  head.quarantine.set('a', { ...entry, id: 'a', item: { fields: { user_id: '7' } } });
  head.quarantine.set('b', { ...entry, id: 'b', item: { fields: { user_id: '77' } } });
  await erase('7');
  expect([...head.quarantine.keys()]).toEqual(['b']);
});
