import { expect, test } from 'vitest';
import { sha256Hex } from '../../codec/pack.ts';
import { normalizeCode } from '../../core/enrolment-code.ts';
import { organizationSchema } from '../../protocol/organization.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { fork } from '../fork/fork.ts';
import { storesApi } from './stores.ts';

const organization = organizationSchema.parse({ name: 'demo', displayName: 'D', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' });

async function world() {
  const time = { now: 1_790_000_000_000 };
  const clock = { now: () => time.now };
  const registry = new MemoryStoreRegistry();
  let bytes = 0;
  const randomBytes = () => new Uint8Array(16).fill((bytes += 1));
  const deps = { registry, clock, randomBytes, organization };
  const ask = async (request: object) => (await storesApi(deps, request as Parameters<typeof storesApi>[1])).answer;
  const enrol = async (code: string, uuid: string) => {
    time.now += 1;
    const key = { kty: 'EC', crv: 'P-256', x: uuid.padEnd(43, 'x'), y: 'y'.repeat(43) } as const;
    const replica = { uuid, publicKey: key, status: 'ACTIVE', enrolledAt: '' } as const;
    return registry.enrol({ sha256: sha256Hex(normalizeCode(code)), now: time.now }, replica);
  };
  const { code } = (await ask({ op: 'store.add', storeId: 'S1', edition: 'core' })) as { code: string };
  return { time, clock, registry, ask, enrol, code };
}

/** Points of the curve that is used. */
const KEYS = await Promise.all(
  [1, 2, 3].map(async () => {
    const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
    return { kty: 'EC', crv: 'P-256', x, y } as const;
  }),
);

test('INV-25: who revokes a replica revokes everything that came of its disk, and nothing else', async () => {
  const { registry, clock, ask, enrol, code } = await world();
  const stolen = (await enrol(code, 'stolen'))?.replica;
  const { code: another } = (await ask({ op: 'store.code', storeId: 'S1', by: 'x' })) as { code: string };
  const other = (await enrol(another, 'other'))?.replica;
  if (stolen === undefined || other === undefined) throw new Error('both are enrolled');
  const [one, two, three] = KEYS;
  if (one === undefined || two === undefined || three === undefined) throw new Error('there are three keys');
  const thief = await fork({ registry, clock }, stolen, { protocol: 2, publicKey: one, agentVersion: '1' });
  const copy = registry.replicas.get(thief.replicaId);
  if (copy === undefined) throw new Error('it is there');
  const again = await fork({ registry, clock }, copy, { protocol: 2, publicKey: two, agentVersion: '1' });
  const revoked = [stolen.replicaId, thief.replicaId, again.replicaId];
  expect(await ask({ op: 'store.revoke', storeId: 'S1', replicaId: stolen.replicaId, reason: 'stolen', by: 'x' })).toMatchObject({
    revoked,
  });
  for (const replicaId of revoked) expect(registry.replicas.get(replicaId)?.status).toBe('REVOKED');
  expect(registry.replicas.get(other.replicaId)?.status).toBe('ACTIVE');
  // It was let in a moment before, and comes to its end a moment after.
  const late = fork({ registry, clock }, copy, { protocol: 2, publicKey: three, agentVersion: '1' });
  await expect(late).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('INV-49: what was changed is said with how it was before', async () => {
  const { registry, clock, enrol, code } = await world();
  const replica = (await enrol(code, 'one'))?.replica.replicaId ?? '';
  const deps = { registry, clock, randomBytes: () => new Uint8Array(16), organization };
  const move = await storesApi(deps, { op: 'store.change', storeId: 'S1', zone: 'north' });
  expect(move.change).toEqual({ before: { zone: null, edition: 'core' }, after: { zone: 'north', edition: 'core' } });
  const revoked = await storesApi(deps, { op: 'store.revoke', storeId: 'S1', reason: 'stolen', by: 'x' });
  expect(revoked.change).toEqual({ before: { active: [replica] }, after: { revoked: [replica], otherActive: 0 } });
  const made = await storesApi(deps, { op: 'store.code', storeId: 'S1', by: 'x' });
  expect(JSON.stringify(made.change)).not.toContain((made.answer as { code: string }).code);
  expect((await storesApi(deps, { op: 'store.list', limit: 1 })).change).toBeNull();
});

test('INV-25: who revokes a store makes its codes void that are still out; a new one is good', async () => {
  const { registry, time, ask, enrol, code } = await world();
  time.now += 1_000;
  await ask({ op: 'store.revoke', storeId: 'S1', reason: 'closed', by: 'x' });
  expect(await enrol(code, 'late')).toBeNull();
  time.now += 1_000;
  const { code: next } = (await ask({ op: 'store.code', storeId: 'S1', by: 'x' })) as { code: string };
  expect((await enrol(next, 'new'))?.replica.status).toBe('ACTIVE');
  expect(registry.replicas.size).toBe(1);
});
