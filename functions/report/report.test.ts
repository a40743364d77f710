import { beforeEach, expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice } from '../../test/simulation/world/head-office.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { report } from './report.ts';

const office = new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });
const registry = new MemoryStoreRegistry();
const store = { storeId: 'S1', name: 'S1', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' } as const;
const replica = {
  replicaId: 'S1:u',
  storeId: 'S1',
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  status: 'ACTIVE',
  enrolledAt: '',
} as const;
const released: string[] = [];
const slots = {
  release: (storeId: string) => {
    released.push(storeId);
    return Promise.resolve();
  },
};
const show = (shown: { feed?: FeedName; position?: number; rows?: number; root?: string; generation?: string }, loaded?: boolean) => {
  const pointer = office.feeds.feeds.get('Customer@org')?.snapshot;
  const feeds = [
    { feed: 'Customer@org' as FeedName, generation: pointer?.generation ?? '', position: 1, rows: 2, root: pointer?.root ?? '', ...shown },
  ];
  const deps = { feeds: office.feeds, registry, slots, clock: office.clock, scopes: {} };
  return report(deps, { store, replica }, { protocol: 1, feeds, ...(loaded === undefined ? {} : { loaded }) });
};

beforeEach(async () => {
  if (office.feeds.feeds.size > 0) return;
  await office.write('customer', [{ user_id: '1' }, { user_id: '2' }]);
  await office.deliver(0, 2);
  await office.compact('Customer@org');
});

test('INV-09: equal rows at a snapshot position get a certificate, which is kept', async () => {
  const { certificates, refused } = await show({});
  expect(refused).toEqual([]);
  expect(certificates).toMatchObject([
    { storeId: 'S1', replicaId: 'S1:u', component: 'Customer', feed: 'Customer@org', position: 1, rows: 2 },
  ]);
  expect((await registry.readCertificates('S1:u')).get('Customer@org')).toEqual(certificates[0]);
});

test('the report that ends a first load frees its slot, and no other does', async () => {
  await show({});
  expect(released).toEqual([]);
  await show({ root: 'f'.repeat(64) }, true);
  expect(released).toEqual(['S1']);
});

test.each([
  ['another root', { root: 'f'.repeat(64) }, 'DIFFERENT'],
  ['another count', { rows: 3 }, 'DIFFERENT'],
  ['a position without a snapshot', { position: 7 }, 'SNAPSHOT_GONE'],
  ['another generation', { generation: 'old' }, 'SNAPSHOT_GONE'],
  ["another store's feed", { feed: 'Tasks@store:S2' as FeedName }, 'OUT_OF_SCOPE'],
])('INV-09: %s gets none', async (_, shown, reason) => {
  const { certificates, refused } = await show(shown);
  expect(certificates).toEqual([]);
  expect(refused).toEqual([{ feed: 'feed' in shown ? shown.feed : 'Customer@org', reason }]);
});
