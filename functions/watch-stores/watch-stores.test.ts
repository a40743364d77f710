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
