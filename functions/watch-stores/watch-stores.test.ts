import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { awayReplicas } from './watch-stores.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');

test('stores that were not heard of when expected or for half of the horizon, worst first; one that enrolled and never came counts too', async () => {
  const registry = new MemoryStoreRegistry();
  const heard = { fine: 0.9, half: 0.5, near: 0.1, never: null, revoked: 0 };
  for (const [storeId, at] of Object.entries(heard)) {
    registry.stores.set(storeId, { storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    registry.replicas.set(`${storeId}:r`, {
      replicaId: `${storeId}:r`,
      storeId,
      publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
      status: storeId === 'revoked' ? 'REVOKED' : 'ACTIVE',
      enrolledAt: new Date(start).toISOString(),
    });
    if (at !== null)
      await registry.noteContact(`${storeId}:r`, {
        heardAt: new Date(start + at * limits.horizonMs).toISOString(),
        agentVersion: '1',
        skewMs: 0,
      });
  }
  const away = await awayReplicas({ registry, clock: { now: () => start + limits.horizonMs }, expectedEveryHours: 72 });
  expect(away.map(({ storeId, percent, level, isOverdue }) => [storeId, percent, level, isOverdue])).toEqual([
    ['never', 100, 'BEYOND', true],
    ['near', 90, 'NEAR', true],
    ['half', 50, 'HALF', true],
    ['fine', 10, 'FINE', true],
  ]);
  const patient = await awayReplicas({ registry, clock: { now: () => start + limits.horizonMs }, expectedEveryHours: 24 * 28 });
  expect(patient.map(({ storeId, isOverdue }) => [storeId, isOverdue])).toEqual([
    ['never', true],
    ['near', true],
    ['half', false],
  ]);
});

test('a replica whose disk was restored and goes on as another one is not waited for, as long as that one comes', async () => {
  const registry = new MemoryStoreRegistry();
  const at = (days: number) => new Date(start + days * 86_400_000).toISOString();
  registry.stores.set('S1', { storeId: 'S1', name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
  const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
  const old = { replicaId: 'S1:old', storeId: 'S1', publicKey, status: 'ACTIVE', enrolledAt: at(0), heardAt: at(1) } as const;
  registry.replicas.set(old.replicaId, old);
  registry.replicas.set('S1:on', { ...old, replicaId: 'S1:on', forkedFrom: old.replicaId, enrolledAt: at(2), heardAt: at(39) });
  const away = async (days: number) =>
    (await awayReplicas({ registry, clock: { now: () => Date.parse(at(days)) }, expectedEveryHours: 72 })).map(
      ({ replicaId }) => replicaId,
    );
  expect(await away(40)).toEqual([]);
  // The store is silent: that is said once.
  expect(await away(50)).toEqual(['S1:on']);
  // The original runs as well, and was heard of since: both are waited for.
  await registry.noteContact(old.replicaId, { heardAt: at(41), agentVersion: '1', skewMs: 0 });
  expect(await away(50)).toEqual(['S1:on', 'S1:old']);
  // What goes on was revoked: nobody goes on.
  registry.replicas.set(old.replicaId, old);
  await registry.revokeReplica('S1:on');
  expect(await away(40)).toEqual(['S1:old']);
});
