import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { startRun } from '../../core/runs/run.ts';
import { DEFAULT_STORE_SETTINGS, type StoreSettings } from '../../protocol/store-settings.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRolloutStore } from '../../test/simulation/world/memory-rollout-store.ts';
import { MemoryRunStore } from '../../test/simulation/world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { watchRollout } from './watch-rollout.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-28T10:00:00.000Z');
const at = (ms: number) => new Date(ms).toISOString();
const old = DEFAULT_STORE_SETTINGS;
const candidate: StoreSettings = { ...old, syncMinutes: 5 };

function world() {
  const time = { now: START };
  const registry = new MemoryStoreRegistry();
  const runs = new MemoryRunStore(Faults.none());
  const rollouts = new MemoryRolloutStore();
  const read: string[] = [];
  for (const storeId of ['S1', 'S2', 'S3']) {
    registry.stores.set(storeId, { storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
    registry.replicas.set(`${storeId}:r`, {
      replicaId: `${storeId}:r`,
      storeId,
      publicKey,
      status: 'ACTIVE',
      enrolledAt: at(START - 99 * HOUR),
    });
  }
  const seen = {
    readListing: (storeId: string) => {
      read.push(storeId);
      return registry.readListing(storeId);
    },
  };
  const look = async (settings: StoreSettings) => {
    const deployed = { settings, canary: { stores: ['S1', 'S2', 'gone'], hours: 2 } };
    return (await watchRollout({ rollouts, registry: seen, runs, clock: { now: () => time.now }, hourMs: HOUR, deployed })).after.state;
  };
  const fail = (storeId: string, ms: number) => {
    const run = startRun({
      runId: uuidv7({ msecs: ms }),
      replicaId: `${storeId}:r`,
      kind: 'delta',
      trigger: 'SCHEDULE',
      startedAt: at(ms),
      commandId: null,
      declaredThrough: 0,
    });
    return runs.noteRun(storeId, { ...run, state: 'FAILED' });
  };
  const sync = async (storeId: string) => {
    const revision = rollouts.rollout?.revision ?? 0;
    await registry.noteTold(`${storeId}:r`, { revision, at: at(time.now), syncedAt: null });
    await registry.noteSynced(`${storeId}:r`, { revision, at: at(time.now) });
  };
  return { time, registry, runs, rollouts, read, look, fail, sync };
}

test('settings go over canary stores to all, and of no other store is anything read', async () => {
  const { time, read, look, sync } = world();
  expect(await look(old)).toBe('EVERYWHERE');
  expect(await look(candidate)).toBe('CANARY');
  expect(read).toEqual([]);
  await sync('S1');
  time.now += 2 * HOUR;
  expect(await look(candidate)).toBe('EVERYWHERE');
  expect(new Set(read)).toEqual(new Set(['S1', 'S2', 'gone']));
});

test('INV-57: failures of canary stores stop them, as many before do not, and those of others are nobody’s', async () => {
  const { time, look, fail, sync, rollouts } = world();
  await look(old);
  await look(candidate);
  for (const storeId of ['S1', 'S2']) await sync(storeId);
  for (let n = 1; n <= 9; n += 1) await fail('S3', START + n * 60_000);
  time.now += HOUR;
  for (const [storeId, minutes] of [
    ['S1', 5],
    ['S1', 50],
    ['S2', 5],
  ] as const) {
    expect(await look(candidate)).toBe('CANARY');
    await fail(storeId, START + minutes * 60_000);
  }
  expect(await look(candidate)).toBe('STOPPED');
  expect(rollouts.rollout).toMatchObject({ reason: expect.stringContaining('3 quarters of an hour in which a run failed, 0 in as long') });

  const calm = world();
  await calm.look(old);
  await calm.look(candidate);
  for (const minutes of [5, 20, 50]) for (const sign of [-1, 1]) await calm.fail('S1', START + sign * minutes * 60_000);
  calm.time.now += HOUR;
  expect(await calm.look(candidate)).toBe('CANARY');
});

test('what failed is found in a store whose clock is days off', async () => {
  const { time, registry, look, fail } = world();
  const skewMs = -48 * HOUR;
  await registry.noteContact('S1:r', { heardAt: at(START), agentVersion: '1', skewMs });
  await look(old);
  await look(candidate);
  for (const minutes of [5, 20, 50]) await fail('S1', START + skewMs + minutes * 60_000);
  time.now += HOUR;
  expect(await look(candidate)).toBe('STOPPED');
});

test('a feed that was found different stops them at once; the other one of two who decide gives way', async () => {
  const { look, runs, rollouts, time } = world();
  await look(old);
  await look(candidate);
  time.now += 60_000;
  await runs.noteDifference('S2', {
    differenceId: uuidv7({ msecs: START + 1 }),
    at: at(START + 1),
    replicaId: 'S2:r',
    feed: 'Customer@org',
  });
  const trial = rollouts.rollout;
  const finish = { state: 'EVERYWHERE', revision: 3, inForce: candidate, since: at(START) } as const;
  const read = rollouts.read.bind(rollouts);
  rollouts.read = () => {
    rollouts.read = read;
    rollouts.rollout = finish;
    return Promise.resolve(trial);
  };
  expect(await look(candidate)).toBe('EVERYWHERE');
  rollouts.rollout = trial;
  expect(await look(candidate)).toBe('STOPPED');
});
