import { expect, test } from 'vitest';
import { decideRollout } from '../../core/rollout/decide-rollout.ts';
import { DEFAULT_STORE_SETTINGS, type StoreSettings } from '../../protocol/store-settings.ts';
import { MemoryRolloutStore } from '../../test/simulation/world/memory-rollout-store.ts';
import { createToldSettings, noteTold } from './told-settings.ts';

const MINUTE = 60_000;
const old = DEFAULT_STORE_SETTINGS;
const candidate: StoreSettings = { ...old, syncMinutes: 5 };
const canary = { stores: ['S1'], hours: 24 };

function world({ hasCanary = true } = {}) {
  const time = { now: Date.parse('2026-11-28T10:00:00.000Z') };
  const rollouts = new MemoryRolloutStore();
  const look = (deployed: StoreSettings) => {
    rollouts.rollout = decideRollout(
      rollouts.rollout,
      { deployed: { settings: deployed, canary }, observations: [] },
      { now: time.now, hourMs: 60 * MINUTE },
    );
  };
  let reads = 0;
  let isDown = false;
  const read = () => {
    reads += 1;
    return isDown ? Promise.reject(new Error('throttled')) : rollouts.read();
  };
  const instance = () =>
    createToldSettings({
      rollouts: { read },
      clock: { now: () => time.now },
      deployed: { settings: candidate, canary: hasCanary ? canary : undefined },
      knownFor: MINUTE,
    });
  return { time, rollouts, look, instance, reads: () => reads, break: (is: boolean) => (isDown = is) };
}

test('without a canary stores are told what is deployed, and nothing is read', async () => {
  const { instance, reads } = world({ hasCanary: false });
  expect(await instance()('S1')).toEqual({ settings: candidate, revision: null });
  expect(reads()).toBe(0);
});

test('INV-56: what a store is told is said by the rollout, whatever the function was deployed with', async () => {
  const { look, time, instance } = world();
  const told = instance();
  expect(await told('S2')).toEqual({ settings: candidate, revision: null });
  look(old);
  time.now += MINUTE;
  // It is deployed, and nobody has looked at it yet.
  for (const store of ['S1', 'S2']) expect(await told(store)).toEqual({ settings: old, revision: null });
  look(candidate);
  time.now += MINUTE;
  expect(await told('S1')).toEqual({ settings: candidate, revision: 2 });
  expect(await told('S2')).toEqual({ settings: old, revision: null });
});

test('INV-57: a minute after it was stopped no plan has the candidate any more, at one read a minute for all stores', async () => {
  const { look, time, rollouts, instance, reads } = world();
  look(old);
  look(candidate);
  const told = instance();
  for (let store = 0; store < 50; store += 1) await told(`S${store}`);
  expect(reads()).toBe(1);
  expect((await told('S1')).settings).toEqual(candidate);
  // Taken back by a deployment.
  look(old);
  expect(rollouts.rollout?.state).toBe('EVERYWHERE');
  time.now += MINUTE;
  expect(await told('S1')).toEqual({ settings: old, revision: null });
  expect(reads()).toBe(2);
});

test('what cannot be read is no answer, and is asked for again', async () => {
  const { look, instance, break: breakDown } = world();
  look(old);
  const told = instance();
  breakDown(true);
  await expect(told('S1')).rejects.toThrow('throttled');
  breakDown(false);
  expect((await told('S1')).settings).toEqual(old);
});

test('a canary store’s row says once what it was told', async () => {
  const clock = { now: () => 0 };
  const notes: unknown[] = [];
  const registry = { noteTold: (...note: unknown[]) => Promise.resolve(void notes.push(note)) };
  const told = { revision: 3, at: '1970-01-01T00:00:00.000Z', syncedAt: null };
  await noteTold({ registry, clock }, { replicaId: 'S1:r' }, { revision: 3 });
  await noteTold({ registry, clock }, { replicaId: 'S1:r', told: { ...told, revision: 2 } }, { revision: 3 });
  expect(notes).toEqual([
    ['S1:r', told],
    ['S1:r', told],
  ]);
  await noteTold({ registry, clock }, { replicaId: 'S1:r', told }, { revision: 3 });
  await noteTold({ registry, clock }, { replicaId: 'S2:r' }, { revision: null });
  expect(notes).toHaveLength(2);
});
