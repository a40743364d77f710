import { expect, test } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { Faults, seededRandom } from '../../test/simulation/world/faults.ts';
import { HeadOffice } from '../../test/simulation/world/head-office.ts';

const randomText = (length: number) => {
  const random = seededRandom(length);
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join('');
};
const office = () => new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });

test('INV-02: a poison record is kept whole, and everything around it goes on', async () => {
  const head = office();
  await head.write('customer', [{ user_id: '1' }, { user_id: '2' }]);
  head.records.stream.splice(1, 0, {
    sequenceNumber: '1b',
    at: head.now,
    before: null,
    after: { collection: 'customer', key: '9', rev: 1, scopes: ['org'], fields: { user_id: '9', colour: 'red' } },
  });
  expect(await head.deliver(0, 3)).toBe(3);
  expect([...(await head.foldOf('Customer@org', 1)).keys()]).toEqual(['customer/1', 'customer/2']);
  expect([...head.quarantine.values()]).toEqual([
    {
      id: 'feed-writer#1b',
      source: 'feed-writer',
      reason: 'customer: colour: is not a field of this collection',
      at: '2026-11-23T08:00:00.000Z',
      item: expect.objectContaining({ key: '9' }) as unknown,
    },
  ]);
});

test.each([
  ['nothing', 'no record'],
  [{ unreadable: {} }, 'collection'],
  [{ collection: 'inventory', key: '1', rev: 1, scopes: ['org'], fields: {} }, 'unknown collection "inventory"'],
  [{ collection: 'customer', key: '1', rev: -1, scopes: ['org'], fields: { user_id: '1' } }, 'rev'],
  [{ collection: 'customer', key: '1', rev: 1, scopes: ['shop'], fields: { user_id: '1' } }, 'scope'],
  [{ collection: 'customer', key: '1', rev: 1, scopes: ['org'], fields: { user_id: '2' } }, 'the key is not the one its fields make'],
])('content that is no record is quarantined: %j', async (after, reason) => {
  const head = office();
  head.records.stream.push({ sequenceNumber: '1', at: head.now, before: null, after });
  expect(await head.deliver(0, 1)).toBe(1);
  expect([...head.quarantine.values()][0]?.reason).toContain(reason === 'no record' ? 'record' : reason);
});

test('a record that moves leaves its old store and arrives at the new one', async () => {
  const head = office();
  await head.write('associate', [{ associate_id: 'a', code: 'a', store_code: 'S1' }]);
  head.now += 1_000;
  await head.write('associate', [{ associate_id: 'a', code: 'a', store_code: 'S2' }]);
  await head.deliver(0, 2);
  expect((await head.foldOf('Associates@store:S1', 2)).size).toBe(0);
  expect([...(await head.foldOf('Associates@store:S2', 1)).keys()]).toEqual(['associate/a']);
});

test('a record somebody removed by hand leaves the stores too', async () => {
  const head = office();
  await head.write('customer', [{ user_id: '1' }]);
  const before = head.records.records.get('customer/1');
  head.records.stream.push({ sequenceNumber: '2', at: head.now + 1, before, after: null });
  await head.deliver(0, 2);
  expect((await head.foldOf('Customer@org', 1)).size).toBe(0);
});

test('a batch larger than a page becomes several, and loses nothing', async () => {
  const head = office();
  const noise = (length: number, seed: number) =>
    Array.from({ length }, (_, index) => String.fromCharCode(33 + ((index * 7919 + seed * 104_729 + ((index * index) % 89)) % 90))).join(
      '',
    );
  await head.write(
    'communication_template',
    Array.from({ length: 120 }, (_, index) => ({ template_id: `t${index}`, locale: 'en', body: noise(60_000, index) })),
  );
  expect(await head.deliver(0, 120)).toBe(120);
  const feed = head.feeds.feeds.get('Communication Template@org');
  expect(feed?.pages.length).toBeGreaterThan(1);
  expect((await head.foldOf('Communication Template@org', feed?.pages.length ?? 0)).size).toBe(120);
});

test('INV-02: a record that no page holds is quarantined, and what came with it goes on', async () => {
  const head = office();
  head.pages.bytesMax = 4_000;
  await head.write('communication_template', [
    { template_id: 'a', locale: 'en', body: 'small' },
    { template_id: 'b', locale: 'en', body: randomText(9_000) },
    { template_id: 'c', locale: 'en', body: 'small' },
  ]);
  expect(await head.deliver(0, 3)).toBe(3);
  expect([...(await head.foldOf('Communication Template@org', 2)).keys()]).toEqual([
    'communication_template/a/en',
    'communication_template/c/en',
  ]);
  expect([...head.quarantine.values()]).toMatchObject([
    { id: 'feed-writer#2', reason: expect.stringMatching(/^packs to \d+ bytes, and a page holds 4000$/) as string, item: { key: 'b/en' } },
  ]);
});

test('a feed says from when its newest change is, not from when the batch is, and never goes back', async () => {
  const head = office();
  const [early, late] = [head.now, head.now + 60_000];
  await head.write('customer', [{ user_id: '1' }]);
  head.now = late;
  await head.write('communication_template', [{ template_id: 'a', locale: 'en', body: 'text' }]);
  await head.deliver(0, 2);
  const asOf = (feed: FeedName) => head.feeds.feeds.get(feed)?.head.asOf;
  expect(asOf('Customer@org')).toBe(new Date(early).toISOString());
  expect(asOf('Communication Template@org')).toBe(new Date(late).toISOString());
  head.now = late + 60_000;
  await head.write('customer', [{ user_id: '2' }]);
  await head.deliver(2, 3);
  await head.deliver(0, 1);
  expect(asOf('Customer@org')).toBe(new Date(head.now).toISOString());
});
