import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runSync } from '../../agent/sync/run-sync.ts';
import { verifyReplica } from '../../agent/sync/verify-replica.ts';
import { rescope, reviewDue } from '../../functions/rescope/rescope.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { StoreAgent } from '../fixtures/store-agent.ts';

/** Two stores of an organization that keeps customers by working set, over real agents and the bodies of the real functions. */
const DAY_MS = 86_400_000;
const TABLES = ['customer', 'bill', 'bill_line', 'loyalty_summary', 'slab_definition'];

let fake: FakeHeadOffice;
let agents: StoreAgent[];

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 4, rowsMax: 8 });
  fake.world.scopes = { Customer: 'working-set' };
  agents = [await StoreAgent.enrolled(fake, 'S1'), await StoreAgent.enrolled(fake, 'S2')];
});
afterEach(async () => {
  await fake.stop();
  for (const agent of agents) agent.remove();
});

/** What the queue would bring, until nobody asks for anything. */
async function settle(): Promise<void> {
  const { world } = fake;
  const deps = {
    records: world.records,
    clock: world.clock,
    requests: {
      send: (work: typeof world.rescopes) => {
        world.rescopes.push(...work.filter(({ kind }) => kind !== 'again'));
        return Promise.resolve();
      },
    },
  };
  await reviewDue(deps);
  while (world.rescopes.length > 0) {
    const from = world.records.stream.length;
    await rescope(deps, world.rescopes.splice(0));
    await world.deliver(from, world.records.stream.length);
  }
}

/** Keys by table in each store after a complete logon, and that its digests are head office's. */
async function held(): Promise<Record<string, string[]>[]> {
  await settle();
  const stores: Record<string, string[]>[] = [];
  for (const agent of agents) {
    expect((await runSync(await agent.deps(), { wait: true })).outstanding).toEqual([]);
    expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
    const db = new DatabaseSync(agent.paths.replica, { readOnly: true });
    const rows = TABLES.map((table) => [table, db.prepare(`SELECT key FROM ${table} ORDER BY key`).all()] as const);
    db.close();
    stores.push(
      Object.fromEntries(rows.filter(([, all]) => all.length > 0).map(([table, all]) => [table, all.map(({ key }) => String(key))])),
    );
  }
  return stores;
}

function bill(id: string, user_id: string, { store, daysAgo = 0 }: { readonly store: string; readonly daysAgo?: number }): Promise<void> {
  const billing_time = new Date(fake.world.now - daysAgo * DAY_MS).toISOString().replace(/\.\d+/, '');
  return fake.write('bill', [
    {
      till_code: 'T',
      bill_client_id: id,
      type: 'REGULAR',
      number: id,
      billing_time,
      billing_zone: 'UTC',
      amount: '1',
      currency_code: 'GBP',
      store_code: store,
      user_id,
    },
  ]);
}

const line = (id: string) =>
  fake.write('bill_line', [{ till_code: 'T', bill_client_id: id, line_seq: 1, currency_code: 'GBP', amount: '1' }]);

it('INV-40, INV-43: a store has the customers registered or billed there with all that is theirs, and loses them with their last bill', async () => {
  await fake.write('slab_definition', [{ program_id: 'P', slab_number: 1, name: 'Blue' }]);
  await fake.write('customer', [
    { user_id: 'ann', registered_store: 'S1' },
    { user_id: 'bob', registered_store: 'S2' },
    { user_id: 'eve' },
  ]);
  await fake.write('loyalty_summary', [
    { user_id: 'ann', program_id: 'P', points: '1' },
    { user_id: 'eve', program_id: 'P', points: '2' },
  ]);
  const tiers = { slab_definition: ['P/1'] };
  const annAtHome = { ...tiers, customer: ['ann'], loyalty_summary: ['ann/P'] };
  expect(await held()).toEqual([annAtHome, { ...tiers, customer: ['bob'] }]);

  await line('b1');
  await bill('b1', 'ann', { store: 'S2', daysAgo: 725 });
  const annBilled = { bill: ['T/b1'], bill_line: ['T/b1/1'], loyalty_summary: ['ann/P'] };
  expect(await held()).toEqual([
    { ...tiers, ...annBilled, customer: ['ann'] },
    { ...tiers, ...annBilled, customer: ['ann', 'bob'] },
  ]);

  // Two years after the bill S2 loses her, and with her the bill.
  fake.world.now += 6 * DAY_MS;
  expect(await held()).toEqual([
    { ...tiers, ...annBilled, customer: ['ann'] },
    { ...tiers, customer: ['bob'] },
  ]);

  await fake.write('customer', [], ['ann']);
  expect(await held()).toEqual([tiers, { ...tiers, customer: ['bob'] }]);
});

it('INV-08: what comes before its customer is in no store, and nothing of customers is in a feed of all', async () => {
  await bill('b1', 'new', { store: 'S1' });
  await line('b1');
  expect(await held()).toEqual([{}, {}]);
  await fake.write('customer', [{ user_id: 'new', registered_store: 'S2' }]);
  const all = { customer: ['new'], bill: ['T/b1'], bill_line: ['T/b1/1'] };
  expect(await held()).toEqual([all, all]);
  expect((await fake.world.foldOf('Customer@org', Number.MAX_SAFE_INTEGER)).size).toBe(0);
});
