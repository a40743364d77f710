import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import type { Replica } from '../../core/ports/store-registry.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { fork } from './fork.ts';

const DAY_MS = 86_400_000;

async function publicKey() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { kty: 'EC', crv: 'P-256', x, y } as const;
}

test('as many replicas come of the disks of a store in a day as there may, whichever of them asks; another store and the next day have their own', async () => {
  const time = { now: 1_790_000_000_000 };
  const registry = new MemoryStoreRegistry();
  const enrolled = async (storeId: string): Promise<Replica> => {
    registry.stores.set(storeId, { storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    const at = new Date(time.now).toISOString();
    const replica = { replicaId: `${storeId}:r`, storeId, publicKey: await publicKey(), status: 'ACTIVE', enrolledAt: at } as const;
    registry.replicas.set(replica.replicaId, replica);
    return replica;
  };
  const [old, other] = [await enrolled('S1'), await enrolled('S2')];
  const ask = (replica: Replica, key: Replica['publicKey']) =>
    fork({ registry, clock: { now: () => time.now } }, replica, { protocol: 2, publicKey: key, agentVersion: '1' });
  const first = await publicKey();
  let last = old;
  for (let count = 0; count < limits.forksPerDay; count += 1) {
    const { replicaId } = await ask(last, count === 0 ? first : await publicKey());
    last = registry.replicas.get(replicaId) ?? last;
  }
  for (const replica of [old, last]) await expect(ask(replica, await publicKey())).rejects.toMatchObject({ code: 'FORK_LIMIT' });
  // An answer that was lost is no other fork.
  expect(await ask(old, first)).toMatchObject({ storeId: 'S1' });
  expect(await ask(other, await publicKey())).toMatchObject({ storeId: 'S2' });
  time.now += DAY_MS;
  expect(await ask(old, await publicKey())).toMatchObject({ storeId: 'S1' });
  expect(registry.replicas.size).toBe(limits.forksPerDay + 4);
});
