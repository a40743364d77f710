import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { Replica, Store } from '../../core/ports/store-registry.ts';
import { COMMAND_LIFE_MS } from '../../core/runs/command.ts';
import { must } from '../../protocol/assert.ts';
import { splitFeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { type ContactRequest, contactRequestSchema } from '../../protocol/messages/contact.ts';
import type { Command, CommandReport, Run } from '../../protocol/runs.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryFeedStore } from '../../test/simulation/world/memory-feed-store.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { MemoryRunStore } from '../../test/simulation/world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUploadStore } from '../../test/simulation/world/memory-upload-store.ts';
import { contact } from './contact.ts';

const START = Date.parse('2026-11-23T10:00:00.000Z');
const at = (ms: number) => new Date(ms).toISOString();
const store: Store = { storeId: 'S1', name: 'S1', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' };
const replica: Replica = {
  replicaId: 'S1:r',
  storeId: 'S1',
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  status: 'ACTIVE',
  enrolledAt: at(START),
};
/** Ids say when they were made. */
const idAt = (ms: number, n: number) => uuidv7({ msecs: ms, seq: n, random: new Uint8Array(16) });
const FEEDS = allFeedsInScope(store, {});

function world() {
  const time = { now: START };
  const registry = new MemoryStoreRegistry();
  registry.stores.set('S1', store);
  registry.replicas.set('S1:r', replica);
  const runs = new MemoryRunStore(Faults.none());
  const feeds = new MemoryFeedStore(Faults.none());
  const records = new MemoryRecordStore(Faults.none(), () => time.now);
  const uploads = new MemoryUploadStore(Faults.none(), records, () => true);
  const started: string[] = [];
  const workflows = {
    start: ({ runId }: { runId: string }) => {
      started.push(runId);
      return Promise.resolve();
    },
  };
  const deps = { registry, runs, feeds, uploads, workflows, clock: { now: () => time.now }, scopes: {} };
  const say = (request: Partial<ContactRequest> = {}) =>
    contact(
      deps,
      { store, replica: must(registry.replicas.get('S1:r'), 'it is there') },
      { protocol: 1, agentVersion: '1', run: null, commands: [], ...request },
    );
  const prove = async (issuedAt = time.now) => {
    for (const feed of FEEDS) {
      const { component } = splitFeedName(feed);
      const proof = { component, feed, generation: 'g', position: 0, rows: 0, digest: '', issuedAt: at(issuedAt) };
      await feeds.createFeed(feed, 'g');
      await registry.putCertificates([{ storeId: 'S1', replicaId: 'S1:r', ...proof }]);
    }
  };
  return { time, registry, runs, started, deps, say, prove };
}

const run = (more: Partial<Run> = {}): Run => ({
  runId: idAt(START, 1),
  replicaId: 'S1:r',
  kind: 'fresh',
  trigger: 'LOGON',
  state: 'RUNNING',
  startedAt: at(START),
  updatedAt: at(START),
  finishedAt: null,
  commandId: null,
  declaredThrough: 0,
  components: [],
  failure: null,
  ...more,
});

describe('a fresh run (INV-45)', () => {
  test('gets its workflow once, however often it is heard of, and is gone on with under its own name', async () => {
    const { say, started, runs } = world();
    for (const updatedAt of [START, START + 1_000, START + 2_000]) await say({ run: run({ updatedAt: at(updatedAt) }) });
    expect(started).toEqual([run().runId]);
    expect(runs.fresh.get('S1:r')).toMatchObject({ runId: run().runId, workflowAt: at(START), completeAt: null });
    const second = idAt(START, 2);
    await say({ run: run({ runId: second }) });
    expect(started).toEqual([run().runId, second]);
  });

  test('whose workflow could not be begun gets it at the next contact, even one that says nothing of a run', async () => {
    const { deps, say, started, runs } = world();
    const deaf = { ...deps, workflows: { start: () => Promise.reject(new Error('throttled')) } };
    await expect(contact(deaf, { store, replica }, { protocol: 1, agentVersion: '1', run: run(), commands: [] })).rejects.toThrow(
      'throttled',
    );
    // Written down before: a workflow that finds no run takes it for superseded, and ends.
    expect(runs.fresh.get('S1:r')?.workflowAt).toBeNull();
    await say();
    expect(started).toEqual([run().runId]);
  });

  test('that its store thinks is over is checked at once; the store hears what it has to prove again', async () => {
    const { say, prove, time, runs } = world();
    expect((await say({ run: run() })).fresh).toEqual({ runId: run().runId, complete: false, missing: [], prove: [] });
    time.now += 60_000;
    const over = run({ state: 'COMPLETED', updatedAt: at(time.now), finishedAt: at(time.now) });
    const { fresh } = await say({ run: over });
    expect(fresh).toMatchObject({ complete: false });
    expect(fresh?.missing).toHaveLength(FEEDS.length);
    await prove();
    expect((await say({ run: over })).fresh).toEqual({ runId: over.runId, complete: true, missing: [], prove: [] });
    expect(runs.fresh.get('S1:r')?.completeAt).toBe(at(time.now));
  });

  test('is not replaced by an earlier one that is over and whose last word came late', async () => {
    const { say, runs, started } = world();
    const [first, second] = [idAt(START, 1), idAt(START + 60_000, 1)];
    await say({ run: run({ runId: first }) });
    await say({ run: run({ runId: second }) });
    await say({ run: run({ runId: first, state: 'CANCELLED', finishedAt: at(START + 50_000) }) });
    expect(runs.fresh.get('S1:r')).toMatchObject({ runId: second });
    expect(started).toEqual([first, second]);
  });

  test('that somebody stopped is said to the store for as long as it goes on', async () => {
    const { say, runs } = world();
    await say({ run: run() });
    runs.fresh.set('S1:r', { ...must(runs.fresh.get('S1:r'), 'it is there'), cancelledAt: at(START) });
    expect((await say({ run: run() })).cancelRun).toBe(run().runId);
    expect((await say({ run: run({ state: 'CANCELLED', finishedAt: at(START) }) })).cancelRun).toBeNull();
  });
});

test('a store that talks while its fresh sync is not complete is heard of well within the hour after which it would be called silent', async () => {
  const { say, registry, time, prove } = world();
  const heardAt = () => registry.replicas.get('S1:r')?.heardAt;
  await say({ run: run() });
  time.now += limits.freshContactNoteMs - 1;
  await say({ run: run() });
  expect(heardAt()).toBe(at(START));
  time.now += 1;
  await say({ run: run() });
  expect(heardAt()).toBe(at(time.now));
  // A store that is in step is written down a few times a day.
  await prove();
  const before = heardAt();
  await say({ run: run({ state: 'COMPLETED', finishedAt: at(time.now) }) });
  time.now += limits.freshContactNoteMs;
  await say();
  expect(heardAt()).toBe(before);
});

test('INV-57: the first sync that ends well after its store was told of other settings is written down, and no earlier one', async () => {
  const { say, registry, time } = world();
  const told = { revision: 4, at: at(START), syncedAt: null };
  const synced = () => registry.replicas.get('S1:r')?.told?.syncedAt;
  const ended = (ms: number, state: Run['state']) => run({ kind: 'delta', state, updatedAt: at(ms), finishedAt: at(ms) });
  await say({ run: ended(START + 1, 'COMPLETED') });
  await registry.noteTold('S1:r', told);
  time.now += 5_000;
  await say({ run: ended(START - 1, 'COMPLETED') });
  await say({ run: ended(START + 1, 'FAILED') });
  await say({ run: run({ kind: 'delta', state: 'RUNNING' }) });
  expect(synced()).toBeNull();
  await say({ run: ended(START + 2, 'COMPLETED_NO_CHANGES') });
  await say({ run: ended(START + 3, 'COMPLETED_WITH_ISSUES') });
  expect(synced()).toBe(at(START + 2));
});

test('of deltas that found nothing the last one is kept, and none seems to be under way; others are kept for their time', async () => {
  const { say, runs, time } = world();
  const delta = (id: number, more: Partial<Run>) => run({ runId: idAt(START, id), kind: 'delta', finishedAt: at(START), ...more });
  await say({ run: delta(2, { state: 'FAILED' }) });
  for (const id of [3, 4, 5]) {
    await say({ run: delta(id, { state: 'RUNNING', finishedAt: null }) });
    for (const _twice of [1, 2]) await say({ run: delta(id, { state: 'COMPLETED_NO_CHANGES' }) });
  }
  expect((await runs.readRuns('S1', 10)).map(({ runId, state }) => [runId, state])).toEqual([
    [idAt(START, 5), 'COMPLETED_NO_CHANGES'],
    [idAt(START, 2), 'FAILED'],
  ]);
  await say({ run: delta(6, { state: 'COMPLETED' }) });
  await say({ run: delta(7, { state: 'COMPLETED_NO_CHANGES' }) });
  expect((await runs.readRuns('S1', 10)).map(({ runId }) => runId)).toEqual([7, 6, 5, 2].map((id) => idAt(START, id)));
  time.now += limits.runsKeptMs + 1;
  await say({ run: delta(5, { state: 'FAILED', runId: idAt(time.now, 5) }) });
  expect((await runs.readRuns('S1', 10)).map(({ runId }) => runId)).toEqual([idAt(time.now, 5)]);
});

describe('commands', () => {
  const id = (n: number) => idAt(START, n);
  const command = (n: number, more: Partial<Command> = {}): Command => ({
    commandId: id(n),
    storeId: 'S1',
    replicaId: 'S1:r',
    kind: 'repair',
    components: [],
    preview: false,
    takeOver: false,
    reason: 'test',
    by: 'tester',
    state: 'PENDING',
    createdAt: at(START),
    expiresAt: at(START + COMMAND_LIFE_MS),
    deliveredAt: null,
    finishedAt: null,
    result: null,
    failure: null,
    ...more,
  });
  const said = (n: number, state: CommandReport['state'], more: Partial<CommandReport> = {}): CommandReport => ({
    commandId: id(n),
    state,
    result: null,
    failure: null,
    ...more,
  });

  test('live from pending over delivered and running to their end; those of other replicas are not told', async () => {
    const { say, runs, time } = world();
    await runs.addCommand(command(1));
    await runs.addCommand(command(2, { replicaId: 'S1:other' }));
    const state = () => runs.commands.get(id(1))?.state;
    expect((await say()).commands.map(({ commandId, state: seen }) => [commandId, seen])).toEqual([[id(1), 'DELIVERED']]);
    expect(runs.commands.get(id(1))).toMatchObject({ state: 'DELIVERED', deliveredAt: at(START) });
    expect((await say({ commands: [said(1, 'RUNNING')] })).commands).toHaveLength(1);
    expect(state()).toBe('RUNNING');
    time.now += 1_000;
    const result = { components: [], unsent: 0, bytes: 9, seconds: 1, costUsd: 0 };
    expect((await say({ commands: [said(1, 'DONE', { result })] })).commands).toEqual([]);
    expect(runs.commands.get(id(1))).toMatchObject({ state: 'DONE', result, finishedAt: at(time.now) });
    // Said again after it is over: nothing changes.
    await say({ commands: [said(1, 'FAILED', { failure: { code: 'X', message: 'late' } })] });
    expect(state()).toBe('DONE');
    expect(runs.commands.get(id(2))?.state).toBe('PENDING');
  });

  test('expire when the store does not come, and one that was cancelled is not told any more', async () => {
    const { say, runs, time } = world();
    await runs.addCommand(command(1));
    await runs.addCommand(command(2, { state: 'CANCELLED' }));
    time.now += COMMAND_LIFE_MS + 1;
    expect((await say()).commands).toEqual([]);
    expect([1, 2].map((n) => runs.commands.get(id(n))?.state)).toEqual(['EXPIRED', 'CANCELLED']);
  });
});

test.each([
  [{ protocol: 1, agentVersion: '1', run: null, commands: [] }, true],
  [{ protocol: 1, agentVersion: '1', run: run(), commands: [] }, true],
  [{ protocol: 1, agentVersion: '1', run: { ...run(), state: 'HAPPY' }, commands: [] }, false],
  [{ protocol: 1, agentVersion: '1', run: { ...run(), more: 1 }, commands: [] }, false],
  [{ protocol: 1, agentVersion: '1', run: null, commands: [{ commandId: 'x', state: 'DONE', result: null, failure: null }] }, false],
  [{ protocol: 1, agentVersion: '1', run: null }, false],
])('the door: %#', (body, fits) => {
  expect(contactRequestSchema.safeParse(body).success).toBe(fits);
});
