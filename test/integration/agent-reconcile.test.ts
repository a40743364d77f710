import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { withStore } from '../../agent/outbox/with-store.ts';
import { limits } from '../../protocol/limits.ts';
import { runFreshSync, runSync } from '../../agent/sync/run-sync.ts';
import { verifyReplica } from '../../agent/sync/verify-replica.ts';
import { chunkKey } from '../../core/snapshot/object-keys.ts';
import { manifestRanges } from '../../protocol/manifest.ts';
import { encodeSections, readSections } from '../../protocol/sections.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { type Json, StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 8, rowsMax: 16 });
  agent = await StoreAgent.enrolled(fake);
});
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

const keyOf = (number: number) => `c${100 + number}`;

function stateOfReplica(): Map<string, string> {
  const db = new DatabaseSync(agent.paths.replica, { readOnly: true });
  try {
    const rows = db.prepare('SELECT key, rev, mobile, email, firstname FROM customer ORDER BY key').all();
    return new Map(
      rows.map(({ key, rev, ...fields }) => {
        const values = Object.entries(fields)
          .filter(([, value]) => value !== null)
          .sort(([a], [b]) => (a < b ? -1 : 1));
        return [`customer/${String(key)}`, JSON.stringify([rev, Object.fromEntries(values)])];
      }),
    );
  } finally {
    db.close();
  }
}

const edit = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key: fc.nat(90),
      name: fc.constantFrom('a', 'b', 'c'),
      mobile: fc.constantFrom('+1', '+2'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: fc.nat(90) }) },
);
const damage = fc.oneof(
  fc.nat(90).map((key) => `DELETE FROM customer WHERE key = '${keyOf(key)}'`),
  fc.nat(90).map((key) => `UPDATE customer SET rev = rev + 1000 WHERE key = '${keyOf(key)}'`),
  fc.nat(90).map((key) => `INSERT OR IGNORE INTO customer (key, rev, firstname) VALUES ('${keyOf(key)}x', 5, 'stray')`),
  fc.constant('DELETE FROM customer'),
  fc.constant('DELETE FROM _tombstone'),
);

async function edits(list: readonly { kind: 'put' | 'delete'; key: number; name?: string; mobile?: string }[]): Promise<void> {
  for (const one of list) {
    if (one.kind === 'put') await fake.write('customer', [{ user_id: keyOf(one.key), firstname: one.name, mobile: one.mobile }]);
    else await fake.write('customer', [], [keyOf(one.key)]);
  }
}

it('INV-06: reconciling from any state gives exactly head office’s state and fetches only what differs', async () => {
  await fake.write(
    'customer',
    Array.from({ length: 80 }, (_, index) => ({ user_id: keyOf(index), firstname: 'x', mobile: '+0' })),
  );
  await runFreshSync(await agent.deps());
  await fc.assert(
    fc.asyncProperty(
      fc.array(edit, { maxLength: 6 }),
      fc.array(damage, { maxLength: 3 }),
      fc.boolean(),
      async (changes, damages, logonFirst) => {
        const db = new DatabaseSync(agent.paths.replica);
        for (const sql of damages) db.exec(sql);
        // The certificate is gone, so that the next run asks for a snapshot whatever the pages would do.
        db.exec('DELETE FROM _certificate');
        db.close();
        const before = fake.chunkCounts().reduce((sum, { gets }) => sum + gets, 0);
        await edits(changes);
        if (logonFirst) await fake.compactAll();
        const deps = await agent.deps();
        const outcome = await runFreshSync(deps);
        expect(outcome.outstanding).toEqual([]);
        const head = fake.world.feeds.feeds.get('Customer@org')?.head.position ?? 0;
        expect(stateOfReplica()).toEqual(await fake.world.foldOf('Customer@org', head));
        const fetched = fake.chunkCounts().reduce((sum, { gets }) => sum + gets, 0) - before;
        expect(fetched).toBe(deps.count.chunksFetched);
        if (damages.length === 0 && changes.length === 0) expect(fetched).toBe(0);
        const touched = new Set([...changes.map(({ key }) => key), ...damages.map((sql) => sql.slice(-6))]).size;
        if (!damages.some((sql) => !sql.includes('WHERE') && !sql.includes('IGNORE'))) expect(fetched).toBeLessThanOrEqual(touched * 4);
        expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
      },
    ),
    { numRuns: 25 },
  );
});

it('a store whose edition changes leaves what is not its own any more', async () => {
  const other = await StoreAgent.enrolled(fake, 'C1', { edition: 'clienteling' });
  await fake.write('customer', [{ user_id: 'c1', firstname: 'x' }]);
  await fake.write('associate', [{ associate_id: 'a1', code: 'a1', store_code: 'C1', first_name: 'Ann' }]);
  await runFreshSync(await other.deps());
  const before = (await other.run('status')).json.components.filter((part: Json) => part.state !== null).length;
  fake.changeStore('C1', { edition: 'core' });
  expect((await runSync(await other.deps(), { wait: false })).outstanding).toEqual([]);
  const status = (await other.run('status')).json;
  expect(status.components.filter((part: Json) => part.state !== null).length).toBeLessThan(before);
  expect((await other.run('records', 'count', 'associate')).json.count).toBe(0);
  expect((await other.run('records', 'count', 'customer')).json.count).toBe(1);
  other.remove();
});

it('a store that is behind the horizon reconciles, and what did not change is not fetched', async () => {
  await fake.write(
    'customer',
    Array.from({ length: 200 }, (_, index) => ({ user_id: keyOf(index), firstname: 'x' })),
  );
  await runFreshSync(await agent.deps());
  await fake.write('customer', [{ user_id: keyOf(7), firstname: 'changed' }]);
  await fake.write('customer', [{ user_id: keyOf(7), firstname: 'changed again' }]);
  const feed = fake.world.feeds.feeds.get('Customer@org');
  await fake.compactAll();
  // The segments up to there are thrown away.
  if (feed?.segments == null) throw new Error('no segments');
  const last = feed.segments.segments.at(-1);
  if (last === undefined) throw new Error('no segments');
  feed.segments = { ...feed.segments, segments: [{ ...last, after: last.through - 1 }] };
  await fake.write('customer', [{ user_id: keyOf(8), firstname: 'changed later' }]);
  const deps = await agent.deps();
  expect((await runSync(deps, { wait: false })).outstanding).toEqual([]);
  expect(deps.count.chunksFetched).toBe(1);
  const { chunks } = (await fake.world.manifest('Customer@org')).collections[0] ?? { chunks: [] };
  expect(deps.count.chunksSkipped).toBeGreaterThanOrEqual(chunks.length - 1);
});

it('INV-10: a store that was away for longer than the horizon brings its hundred unsent writes and fetches only what differs', async () => {
  await fake.write(
    'customer',
    Array.from({ length: 200 }, (_, index) => ({ user_id: keyOf(index), firstname: 'x' })),
  );
  await runFreshSync(await agent.deps());
  const io = { clock: { now: () => Date.now() }, ids: { next: () => uuidv7() } };
  withStore(io, agent.folder, ({ records }) => {
    for (let index = 0; index < 100; index += 1) records.put('bill', billOf(String(index)));
  });
  await fake.write('customer', [{ user_id: keyOf(7), firstname: 'changed' }]);
  await fake.compactAll();
  fake.world.now += limits.horizonMs + 60_000;
  await fake.write('customer', [{ user_id: keyOf(8), firstname: 'changed later' }]);
  await fake.compactAll();
  fake.world.now = Date.now();
  const feed = fake.world.feeds.feeds.get('Customer@org');
  if (feed?.segments == null) throw new Error('no segments');
  // What the horizon has passed is gone.
  feed.segments = { ...feed.segments, segments: feed.segments.segments.slice(-1).map((last) => ({ ...last, after: last.through - 1 })) };
  fake.objects.clear();
  const run = await agent.run('logon', '--wait');
  expect(run.json).toMatchObject({ complete: true, up: { sent: 100, unsent: 0, withoutReceipt: 0, failure: null } });
  for (let index = 0; index < 100; index += 1) expect(fake.world.records.records.get(`bill/T/${index}`)?.fields['amount']).toBe('12.5');
  expect(run.json.transfer.chunksFetched).toBeLessThanOrEqual(4);
  expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
});

const billOf = (id: string) => ({
  till_code: 'T',
  bill_client_id: id,
  type: 'NOT_INTERESTED',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'UTC',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: 'S1',
});

it('a disk that is full in the middle stops everything and leaves nothing half-visible', async () => {
  await fake.write(
    'customer',
    Array.from({ length: 80 }, (_, index) => ({ user_id: keyOf(index), firstname: 'x' })),
  );
  await runFreshSync(await agent.deps());
  const pageCount = (db: DatabaseSync) => Number(Object.values(db.prepare('PRAGMA page_count').get() ?? {})[0]);
  const { SyncSession } = await import('../../agent/sync/sync-session.ts');
  const { applyPage } = await import('../../agent/replica/apply-page.ts');
  const session = new SyncSession(await agent.deps());
  session.replica.db.exec(`PRAGMA max_page_count = ${pageCount(session.replica.db)}`);
  const cursor = session.replica.cursor('Customer@org');
  const rows = Array.from({ length: 3_000 }, (_, index) => [`z${10_000 + index}`, 5, 'n'.repeat(50)] as [string, number, string]);
  const after = cursor?.position ?? 0;
  const text = encodeSections([{ kind: 'puts', collection: 'customer', columns: ['firstname'], rows }]);
  const page = { feed: 'Customer@org' as const, generation: cursor?.generation ?? '', after, position: after + 1, asOf: null };
  expect(() => applyPage(session.replica, { ...page, sections: readSections(Buffer.from(text)) })).toThrow(
    expect.objectContaining({ code: 'STORAGE_FULL' }),
  );
  expect(session.replica.cursor('Customer@org')).toEqual(cursor);
  expect(session.replica.countRows('customer')).toBe(80);
  session.close();
  expect((await verifyReplica(await agent.deps(), { deep: true, repair: false })).differences).toEqual([]);
});

it('killed after the switch and before the report, it is certified by the next run without fetching a row', async () => {
  await fake.write(
    'customer',
    Array.from({ length: 80 }, (_, index) => ({ user_id: keyOf(index), firstname: 'x' })),
  );
  let child: { kill(signal: 'SIGKILL'): boolean } | undefined;
  fake.hooks.api = async (path) => {
    if (path === '/v1/report') child?.kill('SIGKILL');
    return false;
  };
  expect(await agent.start(['logon', '--wait'], (spawned) => (child = spawned))).toMatchObject({ signal: 'SIGKILL' });
  delete fake.hooks.api;
  const gets = fake.chunkCounts().reduce((sum, count) => sum + count.gets, 0);
  const next = await agent.run('logon', '--wait');
  expect(next).toMatchObject({ code: 0, json: { kind: 'fresh', complete: true, transfer: { chunksFetched: 0 } } });
  expect(fake.chunkCounts().reduce((sum, count) => sum + count.gets, 0)).toBe(gets);
  expect(
    manifestRanges(await fake.world.manifest('Customer@org')).every(({ chunk }) =>
      fake.objects.has(chunkKey('Customer@org', chunk.sha256)),
    ),
  ).toBe(true);
});
