import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runSync } from '../../agent/sync/run-sync.ts';
import { verifyReplica } from '../../agent/sync/verify-replica.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { type Json, StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
const agents: StoreAgent[] = [];

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 4, rowsMax: 8 });
  fake.world.scopes = { 'Voucher Series': 'zone' };
});
afterEach(async () => {
  await fake.stop();
  for (const agent of agents.splice(0)) agent.remove();
});

async function storeIn(zone: string | null, storeId: string): Promise<StoreAgent> {
  const agent = await StoreAgent.enrolled(fake, storeId, { zone });
  agents.push(agent);
  return agent;
}

async function logon(agent: StoreAgent): Promise<void> {
  expect((await runSync(await agent.deps(), { wait: true })).outstanding).toEqual([]);
}

function held(agent: StoreAgent): Record<string, string> {
  const db = new DatabaseSync(agent.paths.replica, { readOnly: true });
  try {
    return Object.fromEntries(
      db
        .prepare('SELECT key, description FROM coupon_series ORDER BY key')
        .all()
        .map((row) => [row['key'], row['description']]),
    );
  } finally {
    db.close();
  }
}

const put = (series_id: string, zone_code: string, description: string) =>
  fake.write('coupon_series', [{ series_id, zone_code, description }]);

it('a record that moves to another zone leaves the stores of the old one and arrives at those of the new one', async () => {
  const [north, south] = [await storeIn('north', 'S1'), await storeIn('south', 'S2')];
  await put('a', 'north', 'first');
  await put('b', 'south', 'stays');
  for (const agent of [north, south]) await logon(agent);
  expect([held(north), held(south)]).toEqual([{ a: 'first' }, { b: 'stays' }]);
  await put('a', 'south', 'moved');
  for (const agent of [north, south]) await logon(agent);
  expect([held(north), held(south)]).toEqual([{}, { a: 'moved', b: 'stays' }]);
  await put('a', 'north', 'back');
  for (const agent of [north, south]) await logon(agent);
  expect([held(north), held(south)]).toEqual([{ a: 'back' }, { b: 'stays' }]);
});

it('INV-40: a store that changes zone gets the difference at its next logon, also where both zones knew the key', async () => {
  const agent = await storeIn('north', 'S1');
  await put('moved', 'south', 'in the south');
  await put('moved', 'north', 'in the north');
  await put('n', 'north', 'north only');
  await put('s', 'south', 'south only');
  await logon(agent);
  expect(held(agent)).toEqual({ moved: 'in the north', n: 'north only' });
  // The south has a tombstone of `moved`, and the replica a row; then the other way round.
  fake.changeStore('S1', { zone: 'south' });
  await logon(agent);
  expect(held(agent)).toEqual({ s: 'south only' });
  fake.changeStore('S1', { zone: 'north' });
  await logon(agent);
  expect(held(agent)).toEqual({ moved: 'in the north', n: 'north only' });
  fake.changeStore('S1', { zone: null });
  await logon(agent);
  expect(held(agent)).toEqual({});
  const feeds = (await agent.run('status')).json.components.flatMap((part: Json) => part.feeds.map((feed: Json) => feed.feed as FeedName));
  expect(feeds.some((feed: FeedName) => feed.startsWith('Voucher Series'))).toBe(false);
});

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.constantFrom(...KEYS),
      zone: fc.constantFrom('north', 'south'),
      text: fc.constantFrom('x', 'y'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.constantFrom(...KEYS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), zone: fc.constantFrom('north', 'south', null) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'logon' as const }) },
);

it('INV-40: whatever happened, a complete logon leaves exactly what the store’s zone holds', async () => {
  const agent = await storeIn('north', 'S1');
  let zone: string | null = 'north';
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const one of steps) {
        if (one.kind === 'put') await put(one.key, one.zone, one.text);
        else if (one.kind === 'delete') await fake.write('coupon_series', [], [one.key]);
        else if (one.kind === 'move') fake.changeStore('S1', { zone: (zone = one.zone) });
        else await logon(agent);
      }
      await logon(agent);
      const live = [...fake.world.records.records.values()].filter(
        ({ collection, deleted, fields }) => collection === 'coupon_series' && !deleted && fields['zone_code'] === zone,
      );
      expect(held(agent)).toEqual(Object.fromEntries(live.map(({ key, fields }) => [key, fields['description']])));
      expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
