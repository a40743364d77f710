import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { Store } from '../../core/ports/store-registry.ts';
import { feedPath } from '../../protocol/feed.ts';
import type { FeedName } from '../../protocol/feed.ts';
import type { PlanRequest } from '../../protocol/messages/plan.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice } from '../../test/simulation/world/head-office.ts';
import { plan } from './plan.ts';

const scopes = { 'Voucher Series': 'zone' } as const;
const store = (storeId: string, zone: string | null): Store => ({
  storeId,
  name: storeId,
  edition: 'clienteling',
  zone,
  timeZone: 'UTC',
  currency: 'GBP',
  createdAt: '',
});

/** Head office with something in feeds of two zones and three stores, whose ids differ by case only. */
async function world() {
  const office = new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });
  office.scopes = scopes;
  await office.write(
    'coupon_series',
    ['north', 'south'].map((zone_code) => ({ series_id: zone_code, zone_code })),
  );
  await office.write(
    'associate',
    ['S1', 's1', 'S2'].map((store_code) => ({ associate_id: store_code, code: store_code, store_code })),
  );
  await office.deliver(0, 5);
  for (const feed of office.feeds.feeds.keys()) await office.compact(feed);
  const signed: string[] = [];
  const ask = (who: Store, request: Partial<PlanRequest>) =>
    plan(
      {
        feeds: office.feeds,
        objects: { presignGet: (key) => Promise.resolve((signed.push(key), `https://objects/${key}`)) },
        compactions: { ring: () => Promise.resolve() },
        clock: office.clock,
        ids: { next: () => 'g' },
        withheld: [],
        scopes,
      },
      who,
      { protocol: 1, agentVersion: 't', feeds: [], ...request },
    );
  return { office, signed, ask };
}

const FEEDS: FeedName[] = [
  'Voucher Series@zone:north',
  'Voucher Series@zone:south',
  'Voucher Series@zone:North',
  'Voucher Series@org',
  'Associates@store:S1',
  'Associates@store:s1',
  'Associates@store:S2',
  'Associates@zone:north',
  'Tasks@store:S1',
  'Customer@org',
  'Customer@store:S2',
];

test('INV-24: whatever a store names, it is told to leave what is not its own, and nothing else of it', async () => {
  const { office, signed, ask } = await world();
  const who = fc.record({ id: fc.constantFrom('S1', 's1', 'S2'), zone: fc.constantFrom('north', 'south', null) });
  await fc.assert(
    fc.asyncProperty(who, fc.uniqueArray(fc.constantFrom(...FEEDS)), fc.boolean(), async ({ id, zone }, named, snapshot) => {
      signed.length = 0;
      const own = store(id, zone);
      const inScope = allFeedsInScope(own, scopes);
      const feeds = named.map((feed) => {
        const generation = office.feeds.feeds.get(feed)?.head.generation ?? 'g';
        return { feed, generation, position: 0, want: snapshot ? ('snapshot' as const) : ('tail' as const) };
      });
      const answer = await ask(own, { feeds });
      for (const feed of named.filter((one) => !inScope.includes(one)))
        expect(answer.feeds.filter((one) => one.feed === feed)).toEqual([{ feed, action: 'leave' }]);
      expect(new Set(answer.feeds.filter(({ action }) => action !== 'leave').map(({ feed }) => feed))).toEqual(new Set(inScope));
      const paths = inScope.map((feed) => `/${feedPath(feed)}/`);
      for (const key of signed)
        expect(
          paths.some((path) => key.includes(path)),
          key,
        ).toBe(true);
    }),
  );
});

test('INV-24: no address of a chunk of another zone or store, also not under the name of an own feed', async () => {
  const { office, signed, ask } = await world();
  const chunkOf = async (feed: FeedName) => (await office.manifest(feed)).collections[0]?.chunks[0]?.sha256 ?? '';
  const foreign = await chunkOf('Voucher Series@zone:south');
  const asked = (feed: FeedName, sha256: string) => ask(store('S1', 'north'), { chunks: { feed, sha256: [sha256] } });
  await expect(asked('Voucher Series@zone:south', foreign)).rejects.toMatchObject({ code: 'OUT_OF_SCOPE' });
  await expect(asked('Associates@store:s1', await chunkOf('Associates@store:s1'))).rejects.toMatchObject({ code: 'OUT_OF_SCOPE' });
  signed.length = 0;
  await asked('Voucher Series@zone:north', foreign);
  await asked('Associates@store:S1', await chunkOf('Associates@store:s1'));
  for (const key of signed.filter((one) => one.includes(foreign))) expect(office.objects.objects.has(key)).toBe(false);
  expect(feedPath('Associates@store:S1')).not.toBe(feedPath('Associates@store:s1'));
});
