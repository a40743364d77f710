import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { Replica } from '../../core/ports/store-registry.ts';
import { COMMAND_LIFE_MS } from '../../core/runs/command.ts';
import { must } from '../../protocol/assert.ts';
import { type ConsoleRequest, consoleRequestSchema, consoleResponseSchemas } from '../../protocol/messages/console.ts';
import { organizationSchema } from '../../protocol/organization.ts';
import type { Command, Run } from '../../protocol/runs.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { MemoryRunStore } from '../../test/simulation/world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUploadStore } from '../../test/simulation/world/memory-upload-store.ts';
import { isSyncRequest, syncApi } from './sync.ts';

const START = Date.parse('2026-11-23T10:00:00.000Z');
const at = (ms: number) => new Date(ms).toISOString();
const HOUR = 3_600_000;
/** Ids say when they were made. */
const idAt = (ms: number, n: number) => uuidv7({ msecs: ms, seq: n, random: new Uint8Array(16) });
const RUN_ID = idAt(START, 99);

function world(stores: readonly string[] = ['S1']) {
  const time = { now: START };
  const registry = new MemoryStoreRegistry();
  const add = (storeId: string, name = 'r', more: Partial<Replica> = {}) => {
    const replicaId = `${storeId}:${name}`;
    registry.stores.set(storeId, { storeId, name: storeId, edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
    registry.replicas.set(replicaId, { replicaId, storeId, publicKey, status: 'ACTIVE', enrolledAt: at(START), ...more });
    return replicaId;
  };
  for (const storeId of stores) add(storeId);
  const runs = new MemoryRunStore(Faults.none());
  const uploads = new MemoryUploadStore(Faults.none(), new MemoryRecordStore(Faults.none(), () => time.now), () => true);
  let made = 0;
  const ids = { next: () => idAt(time.now, (made += 1)) };
  const organization = organizationSchema.parse({
    name: 'demo',
    displayName: 'Demo',
    region: 'eu-west-1',
    timeZone: 'UTC',
    currency: 'GBP',
    expectedEveryHours: 24,
  });
  const deps = { registry, uploads, runs, clock: { now: () => time.now }, ids, organization };
  const call = async (request: ConsoleRequest): Promise<unknown> => {
    const parsed = consoleRequestSchema.parse(request);
    if (!isSyncRequest(parsed)) throw new Error('no sync request');
    return consoleResponseSchemas[parsed.op].parse((await syncApi(deps, parsed)).answer);
  };
  return { time, registry, runs, add, call };
}

const run = (state: Run['state'], more: Partial<Run> = {}): Run => ({
  runId: RUN_ID,
  replicaId: 'S1:r',
  kind: 'delta',
  trigger: 'SCHEDULE',
  state,
  startedAt: at(START),
  updatedAt: at(START),
  finishedAt: null,
  commandId: null,
  declaredThrough: 0,
  components: [],
  failure: null,
  ...more,
});
const record = (storeId: string, completeAt: string | null) => ({
  storeId,
  replicaId: `${storeId}:r`,
  runId: RUN_ID,
  startedAt: at(START),
  declaredThrough: 0,
  workflowAt: at(START),
  completeAt,
  cancelledAt: null,
  checkedAt: null,
  missing: [],
});

test('the list: every store, whether its fresh run is complete, and who is overdue although nobody logged on', async () => {
  const { call, runs, time } = world(['S1', 'S2']);
  runs.fresh.set('S1:r', record('S1', at(START)));
  await runs.noteRun('S1', run('COMPLETED'));
  time.now = START + 25 * HOUR;
  const { stores } = (await call({ op: 'sync.list', limit: 10 })) as { stores: object[] };
  expect(stores).toMatchObject([
    { storeId: 'S1', freshComplete: true, last: { kind: 'delta', state: 'COMPLETED' }, isOverdue: true },
    { storeId: 'S2', freshComplete: false, last: null, isOverdue: true },
  ]);
});

describe('a manual sync', () => {
  const manual = { op: 'sync.manual', storeId: 'S1', by: 'ann' } as const;
  type Made = { command: { commandId: string; replicaId: string; state: string; components: string[] } };

  test('needs a reason when nothing failed; a preview never does', async () => {
    const { call, runs } = world();
    await expect(call(manual)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(runs.commands.size).toBe(0);
    expect(await call({ ...manual, preview: true })).toMatchObject({ command: { preview: true, state: 'PENDING', kind: 'repair' } });
    expect(await call({ ...manual, reason: 'the manager called' })).toMatchObject({ command: { reason: 'the manager called' } });
    await runs.noteRun('S1', run('COMPLETED'));
    await expect(call(manual)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test.each(['FAILED', 'COMPLETED_WITH_ISSUES'] as const)('is offered after a run that %s', async (state) => {
    const { call, runs } = world();
    await runs.noteRun('S1', run(state));
    expect(await call({ op: 'sync.status', storeId: 'S1' })).toMatchObject({ manualOffered: true });
    expect(await call(manual)).toMatchObject({ command: { state: 'PENDING' } });
  });

  test('is offered for a store that does not come', async () => {
    const { call, time } = world();
    time.now = START + 25 * HOUR;
    expect(await call(manual)).toMatchObject({ command: { state: 'PENDING' } });
  });

  test('a replica whose disk goes on as another one makes its store not overdue', async () => {
    const { call, add, time } = world();
    add('S1', 'on', { forkedFrom: 'S1:r', heardAt: at(START + 24 * HOUR) });
    time.now = START + 25 * HOUR;
    expect(await call({ op: 'sync.list' })).toMatchObject({ stores: [{ replicas: 2, isOverdue: false }] });
    expect(await call({ op: 'sync.status', storeId: 'S1' })).toMatchObject({ replicas: [{ isOverdue: false }, { isOverdue: false }] });
    time.now = START + 49 * HOUR;
    expect(await call({ op: 'sync.list' })).toMatchObject({ stores: [{ isOverdue: true }] });
  });

  test('goes to the replica that was heard of last, or to the one that is named, and to none that is revoked or not there', async () => {
    const { call, add } = world();
    add('S1', 'newer', { heardAt: at(START + HOUR) });
    add('S1', 'gone', { heardAt: at(START + 2 * HOUR), status: 'REVOKED' });
    const ask = { ...manual, reason: 'test' };
    expect(((await call(ask)) as Made).command.replicaId).toBe('S1:newer');
    expect(((await call({ ...ask, replicaId: 'S1:r' })) as Made).command.replicaId).toBe('S1:r');
    for (const replicaId of ['S1:gone', 'S2:r']) await expect(call({ ...ask, replicaId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(call({ ...ask, storeId: 'S9' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a component that is named twice is asked for once', async () => {
    const { call } = world();
    const made = (await call({ ...manual, reason: 'test', components: ['Customer', 'Customer', 'Voucher Series'] })) as Made;
    expect(made.command.components).toEqual(['Customer', 'Voucher Series']);
  });

  test('is not of a component that is never transferred to the store', async () => {
    const { call, runs } = world();
    const ask = { ...manual, reason: 'test', preview: true };
    const wanted = [
      ['Inventory Master', 'COMPONENT_NOT_USED'],
      ['Tasks', 'COMPONENT_NOT_ENABLED'],
    ] as const;
    for (const [component, code] of wanted)
      await expect(call({ ...ask, components: ['Customer', component] })).rejects.toMatchObject({ code });
    expect(runs.commands.size).toBe(0);
  });

  test('that no agent takes up is seen to be expired after its time', async () => {
    const { call, time } = world();
    const { command } = (await call({ ...manual, reason: 'test' })) as Made;
    const seen = async () => [
      ((await call({ op: 'sync.command', storeId: 'S1', commandId: command.commandId })) as Made).command.state,
      ...((await call({ op: 'sync.status', storeId: 'S1' })) as { commands: { state: string }[] }).commands.map(({ state }) => state),
    ];
    expect(await seen()).toEqual(['PENDING', 'PENDING']);
    time.now += COMMAND_LIFE_MS + 1;
    expect(await seen()).toEqual(['EXPIRED', 'EXPIRED']);
  });
});

test('cancelling stops every command that is open and the fresh run, once', async () => {
  const { call, runs } = world();
  runs.fresh.set('S1:r', record('S1', null));
  const { command } = (await call({ op: 'sync.manual', storeId: 'S1', by: 'ann', reason: 'test' })) as { command: { commandId: string } };
  const cancelled = await call({ op: 'sync.cancel', storeId: 'S1' });
  expect(cancelled).toEqual({ storeId: 'S1', cancelled: [command.commandId, record('S1', null).runId] });
  expect(await call({ op: 'sync.command', storeId: 'S1', commandId: command.commandId })).toMatchObject({
    command: { state: 'CANCELLED' },
  });
  expect(must(runs.fresh.get('S1:r'), 'it is there').cancelledAt).toBe(at(START));
  expect(await call({ op: 'sync.cancel', storeId: 'S1' })).toEqual({ storeId: 'S1', cancelled: [] });
  await expect(call({ op: 'sync.command', storeId: 'S1', commandId: record('S1', null).runId })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('cancelling ends what a store began and never ended, however long ago, and leaves what expired', async () => {
  const { call, runs, time } = world();
  const ask = { op: 'sync.manual', storeId: 'S1', by: 'ann', reason: 'test' } as const;
  const made = async () => ((await call(ask)) as { command: Command }).command;
  const [begun, waiting] = [await made(), await made()];
  await runs.changeCommand(begun, { ...begun, state: 'RUNNING' });
  time.now += COMMAND_LIFE_MS + 1;
  expect(await call({ op: 'sync.cancel', storeId: 'S1' })).toEqual({ storeId: 'S1', cancelled: [begun.commandId] });
  const states = [begun, waiting].map(
    async ({ commandId }) => ((await call({ op: 'sync.command', storeId: 'S1', commandId })) as { command: Command }).command.state,
  );
  expect(await Promise.all(states)).toEqual(['CANCELLED', 'EXPIRED']);
});
