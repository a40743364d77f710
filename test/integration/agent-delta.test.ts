import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runFreshSync, runSync } from '../../agent/sync/run-sync.ts';
import { verifyReplica } from '../../agent/sync/verify-replica.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { StoreAgent } from '../fixtures/store-agent.ts';

/** Deltas by segments and pages, and the comparison with every snapshot that a store passes. Runs of three pages are sealed here. */
const FEED = 'Customer@org';
let fake: FakeHeadOffice;
let agent: StoreAgent;

beforeEach(async () => {
  fake = await FakeHeadOffice.start();
  agent = await StoreAgent.enrolled(fake);
  await fake.write(
    'customer',
    Array.from({ length: 300 }, (_, index) => ({ user_id: keyOf(index), firstname: 'at first' })),
  );
  await runFreshSync(await agent.deps());
});
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

const keyOf = (index: number) => String(100_000 + index);
const fetched = (prefix: string) => [...fake.objects].filter(([key, { gets }]) => key.startsWith(prefix) && gets > 0).length;

/** As many pages as there are batches. */
async function change(batches: number, text: string): Promise<void> {
  for (let batch = 0; batch < batches; batch += 1) {
    const puts = Array.from({ length: 10 }, (_, index) => ({ user_id: keyOf((batch * 7 + index) % 300), firstname: `${text} ${batch}` }));
    await fake.write('customer', puts, [keyOf(299 - batch)]);
  }
}

async function expectEqual(): Promise<void> {
  const replica = new DatabaseSync(agent.paths.replica, { readOnly: true });
  const rows = replica.prepare('SELECT key, rev, firstname FROM customer ORDER BY key').all();
  const { position } = replica.prepare('SELECT position FROM _feed WHERE feed = ?').get(FEED) as { position: number };
  replica.close();
  const fold = await fake.world.foldOf(FEED, position);
  expect(position).toBe(fake.world.feeds.feeds.get(FEED)?.head.position);
  expect(rows.map((row) => `customer/${String(row['key'])}`)).toEqual([...fold.keys()].sort());
  expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
}

it('INV-06: a delta comes as segments that all stores share and the few pages after them, and no chunk is fetched', async () => {
  await change(20, 'segment');
  await fake.world.seal(FEED);
  await change(2, 'page');
  fake.objects.clear();
  const deps = await agent.deps();
  expect(await runSync(deps, { wait: false })).toMatchObject({ kind: 'delta', outstanding: [] });
  expect(fetched('segments/')).toBeGreaterThan(0);
  // Twenty pages in runs of three; the two after them come in the answer itself.
  expect(fetched('segments/')).toBeLessThanOrEqual(7);
  expect(fetched('chunks/')).toBe(0);
  await expectEqual();
});

it('an empty delta is one request', async () => {
  fake.calls.clear();
  await runSync(await agent.deps(), { wait: false });
  expect([...fake.calls]).toEqual([['/v1/plan', 1]]);
});

it('INV-09: passing a snapshot gives a new certificate at its position', async () => {
  await change(8, 'before');
  await fake.compactAll();
  const passed = fake.world.feeds.feeds.get(FEED)?.snapshot?.position;
  await change(4, 'after');
  fake.objects.clear();
  await runSync(await agent.deps(), { wait: false });
  expect(fake.certificates.get(`S1 ${FEED}`)).toMatchObject({ position: passed });
  expect(fetched('chunks/')).toBe(0);
  await expectEqual();
});

it('a row that was changed behind the agent is found when a snapshot is passed, reaches head office and is mended', async () => {
  const replica = new DatabaseSync(agent.paths.replica);
  replica.exec(`DELETE FROM customer WHERE key = '${keyOf(150)}'`);
  replica.close();
  await change(8, 'before');
  await fake.compactAll();
  fake.objects.clear();
  const deps = await agent.deps();
  const notes: string[] = [];
  const outcome = await runSync({ ...deps, progress: { ...deps.progress, note: (text) => notes.push(text) } }, { wait: true });
  expect(outcome.outstanding).toEqual([]);
  expect(notes.join()).toMatch(/Customer differs from head office's snapshot/);
  expect(fake.refusals).toContainEqual({ feed: FEED, reason: 'DIFFERENT' });
  expect(fetched('chunks/')).toBe(1);
  await expectEqual();
});

it('INV-05: killed between two segments, it goes on from there', async () => {
  await change(20, 'segment');
  await fake.world.seal(FEED);
  let served = 0;
  fake.hooks.object = (key) => (key.startsWith('segments/') && (served += 1) > 1 ? { status: 503 } : {});
  await expect(runSync(await agent.deps(), { wait: false })).rejects.toThrow(/busy/);
  const between = Number(
    new DatabaseSync(agent.paths.replica, { readOnly: true }).prepare('SELECT position FROM _feed WHERE feed = ?').get(FEED)?.['position'],
  );
  expect(between).toBeGreaterThan(1);
  delete fake.hooks.object;
  await runSync(await agent.deps(), { wait: false });
  await expectEqual();
});
