import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Command } from '../../protocol/runs.ts';
import { statusAnswer } from '../../agent/local-api/schemas.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { type Json, StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;
const running: ChildProcess[] = [];

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 100, rowsMax: 200 });
  agent = await StoreAgent.enrolled(fake);
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await fake.stop();
  agent.remove();
});

/** The service as a process, and its log line by line. */
function service(...args: string[]) {
  const main = join(import.meta.dirname, '../../agent/main.ts');
  const child = spawn(process.execPath, [main, 'run', '--data', agent.folder, '--json', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async (): Promise<Json> => JSON.parse(String((await lines.next()).value)) };
}

const customers = (count: number) => Array.from({ length: count }, (_, index) => ({ user_id: `c${index}`, firstname: 'Ann' }));

it('syncs at its start and then on its schedule, through refusals, and ends with 0 when it is told to', { timeout: 150_000 }, async () => {
  await fake.write('customer', customers(50));
  const { child, next } = service('--every', '1');
  expect(await next()).toMatchObject({ kind: 'fresh', complete: true });
  // A logon beside the service is the service's business; no second run begins beside one that is under way (INV-46).
  const joined = await agent.run('logon');
  expect(joined).toMatchObject({ code: 0, json: { joined: true, kind: 'delta', complete: true, run: { trigger: 'LOGON' } } });
  expect(await next()).toMatchObject({ kind: 'delta', complete: true, rows: 0 });
  await fake.write('customer', [{ user_id: 'c7', firstname: 'Bea' }]);
  // Its turn may have come just before that was written.
  let turn = await next();
  if (turn.rows === 0) turn = await next();
  expect(turn).toMatchObject({ kind: 'delta', complete: true, rows: 1 });
  expect((await agent.run('records', 'get', 'customer', 'c7')).json).toMatchObject({ fields: { firstname: 'Bea' } });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('a delta is refused before the first sync is complete, says what is outstanding, and changes nothing', async () => {
  const never = await agent.run('delta');
  expect(never).toMatchObject({ code: 3, json: null });
  expect(never.stderr).toContain('FRESH_NOT_COMPLETE: the fresh sync is not complete: it was never started');
  expect((await agent.run('status')).json.replica.contactAt).toBeNull();
  await agent.run('logon', '--wait');
  await fake.write('customer', [{ user_id: 'c7', firstname: 'Bea' }]);
  expect(await agent.run('delta')).toMatchObject({ code: 0, json: { kind: 'delta', complete: true } });
});

const command = (fields: object): Command => ({
  commandId: uuidv7(),
  storeId: 'S1',
  replicaId: fake.replicaIds()[0] ?? '',
  kind: 'repair',
  components: [],
  preview: false,
  takeOver: false,
  reason: 'a test',
  by: 'tester',
  state: 'PENDING',
  createdAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  deliveredAt: null,
  finishedAt: null,
  result: null,
  failure: null,
  ...fields,
});

/** Somebody writes into the replica from outside: one row is another, one is gone. */
function damage(): void {
  const db = new DatabaseSync(agent.paths.replica);
  db.exec("UPDATE customer SET firstname = 'Eve' WHERE key = 'c3'");
  db.exec("DELETE FROM customer WHERE key = 'c4'");
  db.close();
}

const first = async (id: string) => (await agent.run('records', 'get', 'customer', id)).json.fields.firstname as string;

it('carries out what head office orders one after the other, and says what came of it (INV-46)', { timeout: 60_000 }, async () => {
  await fake.write('customer', customers(50));
  await agent.run('logon', '--wait');
  damage();
  const preview = command({ preview: true });
  const repair = command({ components: ['Customer'] });
  const wrong = command({ kind: 'resend', components: ['Custom Fields'] });
  for (const one of [preview, repair, wrong]) {
    fake.world.now = Date.now();
    await fake.runs.addCommand(one);
  }
  service('--every', '60');
  const seen = (one: Command) => fake.runs.commands.get(one.commandId);
  await expect.poll(() => [preview, repair, wrong].map((one) => seen(one)?.state), { timeout: 30_000 }).toEqual(['DONE', 'DONE', 'DONE']);
  expect(seen(preview)?.result?.components).toEqual([{ component: 'Customer', add: 1, change: 1, remove: 0, resent: 0 }]);
  expect(seen(repair)?.result).toMatchObject({
    components: [{ component: 'Customer', add: 1, change: 1, remove: 0, resent: 0 }],
    unsent: 0,
  });
  expect(await Promise.all(['c3', 'c4'].map(first))).toEqual(['Ann', 'Ann']);
  const runs = await fake.runs.readRuns('S1', 10);
  expect(runs.map(({ kind, trigger, state, commandId }) => ({ kind, trigger, state, commandId })).slice(0, 2)).toEqual([
    { kind: 'manual', trigger: 'COMMAND', state: expect.stringMatching(/^COMPLETED/) as string, commandId: wrong.commandId },
    { kind: 'manual', trigger: 'COMMAND', state: 'COMPLETED', commandId: repair.commandId },
  ]);
});

it(
  'a manual sync from the store itself, alone and through a running agent; without a reason only when something failed',
  { timeout: 60_000 },
  async () => {
    await fake.write('customer', customers(50));
    expect((await agent.run('sync', 'manual', '--preview')).stderr).toContain('this store was never synced');
    await agent.run('logon', '--wait');
    expect((await agent.run('sync', 'manual')).stderr).toContain('say why with --reason');
    damage();
    const differs = [{ component: 'Customer', add: 1, change: 1, remove: 0, resent: 0 }];
    expect((await agent.run('sync', 'manual', '--preview')).json).toMatchObject({ preview: true, components: differs });
    expect(await first('c3')).toBe('Eve');
    expect((await agent.run('sync', 'manual', '--reason', 'a till wrote into it')).json).toMatchObject({
      preview: false,
      components: differs,
    });
    expect(await Promise.all(['c3', 'c4'].map(first))).toEqual(['Ann', 'Ann']);
    const { next } = service('--every', '60');
    await next();
    damage();
    const through = await agent.run('sync', 'manual', '--kind', 'resend', '--component', 'customer', '--reason', 'again');
    expect(through).toMatchObject({ code: 0, json: { components: [{ component: 'Customer' }] } });
    expect(await Promise.all(['c3', 'c4'].map(first))).toEqual(['Ann', 'Ann']);
    const never = await agent.run('sync', 'manual', '--component', 'Inventory Master', '--preview');
    expect(never).toMatchObject({ code: 2, stderr: expect.stringMatching(/^COMPONENT_NOT_USED: Inventory Master/m) as string });
    expect((await agent.run('sync', 'manual', '--kind', 'rebuild')).stderr).toContain('--kind is one of repair, resend, re-upload');
    expect((await agent.run('sync', 'manual', '--component', 'Wishes')).stderr).toContain('--component is one of');
  },
);

it('status says how the last run did, where each component stands and what is safe to do now', { timeout: 60_000 }, async () => {
  const none = (await agent.run('status')).json;
  expect(none).toMatchObject({ complete: false, run: null, safe: { sell: false, redeemPoints: false } });
  expect(none.components.find((one: Json) => one.component === 'Customer')).toMatchObject({
    status: 'QUEUED',
    state: 'NEVER_SYNCED',
    freshness: 'RED',
  });
  await fake.write('customer', customers(50));
  await agent.run('logon', '--wait');
  const { json } = await agent.run('status');
  expect(statusAnswer.parse(json).components).toHaveLength(14);
  expect(json).toMatchObject({
    complete: true,
    percent: 100,
    run: { kind: 'fresh', trigger: 'LOGON', state: 'COMPLETED' },
    safe: { sell: true, showPoints: true, redeemCoupons: true, redeemPoints: true },
  });
  const customer = json.components.find((one: Json) => one.component === 'Customer');
  expect(customer).toMatchObject({
    status: 'COMPLETED',
    up: { status: 'COMPLETED_NO_CHANGES' },
    down: { status: 'COMPLETED', phase: null },
    state: 'IN_SYNC',
    freshness: 'GREEN',
    verified: true,
    pendingUp: 0,
    oldestPendingAt: null,
  });
  await agent.run('records', 'put', 'customer', JSON.stringify({ user_id: 'S1-new', firstname: 'Zoe' }));
  const after = (await agent.run('status')).json.components.find((one: Json) => one.component === 'Customer');
  expect(after).toMatchObject({ pendingUp: 1, oldestPendingAt: expect.stringMatching(/^\d{4}-/) as string });
  expect((await agent.run('status')).json.components.find((one: Json) => one.component === 'Loyalty Tracker')).toMatchObject({
    status: 'NOT_USED',
    state: null,
  });
  const text = await agent.run('status');
  expect(text.code).toBe(0);
});

it('records that go up again are not counted twice (INV-11)', { timeout: 60_000 }, async () => {
  await agent.run('logon', '--wait');
  for (const id of ['1', '2', '3']) await agent.run('records', 'put', 'customer', JSON.stringify({ user_id: `n${id}`, firstname: 'Zoe' }));
  await agent.run('logon', '--wait');
  const idle = await agent.run('sync', 'manual', '--component', 'Inventory Master', '--preview');
  expect(idle).toMatchObject({ code: 2, stderr: expect.stringContaining('COMPONENT_NOT_USED') });
  const before = JSON.stringify([...fake.world.records.records.values()]);
  const preview = await agent.run('sync', 'manual', '--kind', 're-upload', '--preview');
  expect(preview.json.components).toEqual([{ component: 'Customer', add: 0, change: 0, remove: 0, resent: 3 }]);
  expect(preview.json.bytes).toBeGreaterThan(300);
  expect(preview.json.costUsd).toBeGreaterThan(0);
  const again = await agent.run('sync', 'manual', '--kind', 're-upload', '--reason', 'head office was restored');
  expect(again.json).toMatchObject({ components: [{ component: 'Customer', resent: 3 }], unsent: 0, bytes: preview.json.bytes as number });
  expect(JSON.stringify([...fake.world.records.records.values()])).toBe(before);
  const { entries } = (await agent.run('outbox')).json;
  expect(entries.map(({ status }: Json) => status)).toEqual(['DUPLICATE', 'DUPLICATE', 'DUPLICATE']);
});

it(
  'a run that head office stops ends as cancelled, and one that is taken over makes place for the command',
  { timeout: 150_000 },
  async () => {
    await fake.write('customer', customers(2_000));
    fake.hooks.pieceBytes = 32;
    fake.hooks.pieceDelayMs = 200;
    fake.world.now = Date.now();
    const taking = command({ takeOver: true, kind: 're-upload' });
    // Heard at the first contact, before head office has said what this store has: the run goes on until that is known.
    await fake.runs.addCommand(taking);
    service('--every', '60');
    await expect.poll(() => fake.runs.commands.get(taking.commandId), { timeout: 60_000 }).toMatchObject({ state: 'DONE', failure: null });
    const runs = (await fake.runs.readRuns('S1', 10)).map(({ kind, state }) => `${kind} ${state}`);
    expect(runs.slice(-2)).toEqual(['manual COMPLETED_NO_CHANGES', 'fresh CANCELLED']);
    // Nobody stopped the fresh sync for good: head office, whoever logs on, or the schedule begins it again, and it is the fresh sync (INV-46).
    fake.hooks.pieceBytes = 65_536;
    expect((await agent.run('logon')).json).toMatchObject({ joined: true, complete: true });
    const after = (await fake.runs.readRuns('S1', 10)).toReversed().slice(2);
    expect(after.map(({ kind, state }) => `${kind} ${state}`)[0]).toBe('fresh COMPLETED');
  },
);

it('a manual sync of the store itself takes the place of the sync that is under way if it is told to', { timeout: 150_000 }, async () => {
  await fake.write('customer', customers(2_000));
  fake.hooks.pieceBytes = 32;
  fake.hooks.pieceDelayMs = 200;
  service('--every', '60');
  await expect.poll(async () => (await agent.run('status')).json.run?.components.length, { timeout: 60_000 }).toBeGreaterThan(0);
  const waits = await agent.run('sync', 'manual', '--kind', 're-upload', '--reason', 'at once', '--take-over');
  expect(waits).toMatchObject({ code: 0, json: { preview: false } });
  const runs = (await fake.runs.readRuns('S1', 10)).map(({ kind, trigger, state }) => `${kind} ${trigger} ${state}`);
  expect(runs.slice(-2)).toEqual(['manual STORE COMPLETED_NO_CHANGES', 'fresh START CANCELLED']);
});
