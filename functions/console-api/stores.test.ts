import { expect, test } from 'vitest';
import { sha256Hex } from '../../codec/pack.ts';
import { normalizeCode } from '../../core/enrolment-code.ts';
import { organizationSchema } from '../../protocol/organization.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { MemoryRolloutStore } from '../../test/simulation/world/memory-rollout-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUploadStore } from '../../test/simulation/world/memory-upload-store.ts';
import { MemoryWrongCodes } from '../../test/simulation/world/memory-wrong-codes.ts';
import { enrol as enrolFunction } from '../enrol/enrol.ts';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { fork } from '../fork/fork.ts';
import { must } from '../../protocol/assert.ts';
import { ringWaiting } from '../apply/ring-waiting.ts';
import { storesApi } from './stores.ts';

const organization = organizationSchema.parse({ name: 'demo', displayName: 'D', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' });

async function world() {
  const time = { now: 1_790_000_000_000 };
  const clock = { now: () => time.now };
  const registry = new MemoryStoreRegistry();
  let bytes = 0;
  const randomBytes = () => new Uint8Array(16).fill((bytes += 1));
  const uploads = new MemoryUploadStore(Faults.none(), new MemoryRecordStore(Faults.none(), () => time.now), (id) =>
    registry.isTrusted(id),
  );
  const deps = { registry, rollouts: new MemoryRolloutStore(), uploads, clock, randomBytes, organization };
  const ask = async (request: object) => (await storesApi(deps, request as Parameters<typeof storesApi>[1])).answer;
  const enrol = async (code: string, uuid: string) => {
    time.now += 1;
    const key = { kty: 'EC', crv: 'P-256', x: uuid.padEnd(43, 'x'), y: 'y'.repeat(43) } as const;
    const replica = { uuid, publicKey: key, status: 'ACTIVE', enrolledAt: '' } as const;
    return registry.enrol({ sha256: sha256Hex(normalizeCode(code)), now: time.now }, replica);
  };
  const { code } = (await ask({ op: 'store.add', storeId: 'S1', edition: 'core' })) as { code: string };
  return { deps, time, clock, registry, uploads, ask, enrol, code };
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
  const asIs = { op: 'store.revoke', storeId: 'S1', replicaId: stolen.replicaId, only: false, force: false, reason: 'stolen', by: 'x' };
  await expect(ask(asIs)).rejects.toMatchObject({
    code: 'NOT_COMPLETE',
    message: expect.stringContaining(`${thief.replicaId} came of its disk and goes with it`) as string,
  });
  expect(registry.replicas.get(stolen.replicaId)?.status).toBe('ACTIVE');
  expect(
    await ask({ op: 'store.revoke', storeId: 'S1', replicaId: stolen.replicaId, only: false, force: true, reason: 'stolen', by: 'x' }),
  ).toMatchObject({
    revoked,
  });
  for (const replicaId of revoked) expect(registry.replicas.get(replicaId)?.status).toBe('REVOKED');
  expect(registry.replicas.get(other.replicaId)?.status).toBe('ACTIVE');
  // It was let in a moment before, and comes to its end a moment after.
  const late = fork({ registry, clock }, copy, { protocol: 2, publicKey: three, agentVersion: '1' });
  await expect(late).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('INV-49: what was changed is said with how it was before', async () => {
  const { deps, enrol, code } = await world();
  const replica = (await enrol(code, 'one'))?.replica.replicaId ?? '';
  const move = await storesApi(deps, { op: 'store.change', storeId: 'S1', zone: 'north' });
  expect(move.change).toEqual({ before: { zone: null, edition: 'core' }, after: { zone: 'north', edition: 'core' } });
  const revoked = await storesApi(deps, { op: 'store.revoke', storeId: 'S1', only: false, force: false, reason: 'stolen', by: 'x' });
  expect(revoked.change).toEqual({ before: { active: [replica] }, after: { revoked: [replica], waiting: 0 } });
  const made = await storesApi(deps, { op: 'store.code', storeId: 'S1', replace: false, by: 'x' });
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

test('every active replica of a store is asked for another key, or the one that is named', async () => {
  const { registry, time, ask, enrol, code } = await world();
  const first = (await enrol(code, 'first'))?.replica.replicaId ?? '';
  const { code: another } = (await ask({ op: 'store.code', storeId: 'S1', by: 'x' })) as { code: string };
  const second = (await enrol(another, 'second'))?.replica.replicaId ?? '';
  const at = new Date(time.now).toISOString();
  expect(await ask({ op: 'store.rotate-key', storeId: 'S1', by: 'x', replicaId: second })).toEqual({ storeId: 'S1', asked: [second] });
  expect([first, second].map((id) => registry.replicas.get(id)?.newKeyAskedAt)).toEqual([undefined, at]);
  await ask({ op: 'store.revoke', storeId: 'S1', replicaId: second, reason: 'stolen', by: 'x' });
  expect(await ask({ op: 'store.rotate-key', storeId: 'S1', by: 'x' })).toEqual({ storeId: 'S1', asked: [first] });
  for (const request of [{ storeId: 'S1', replicaId: second }, { storeId: 'nowhere' }])
    await expect(ask({ op: 'store.rotate-key', by: 'x', ...request })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('INV-25: who enrols with a code that replaces takes the place of every replica, also of a copy that comes at the same moment', async () => {
  const { registry, clock, ask, enrol, code } = await world();
  const [key, other] = KEYS;
  if (key === undefined || other === undefined) throw new Error('there are three keys');
  const old = (await enrol(code, 'old'))?.replica;
  if (old === undefined) throw new Error('it is enrolled');
  const answer = (await ask({ op: 'store.code', storeId: 'S1', replace: true, by: 'x' })) as { code: string };
  expect(answer).toMatchObject({ active: [old.replicaId], replaces: true });
  // It was let in before and comes to its end after.
  const racing = {
    enrol: async (...input: Parameters<typeof registry.enrol>) => {
      const enrolled = await registry.enrol(...input);
      const forked = { ...old, replicaId: 'S1:copy', forkedFrom: old.replicaId, status: 'ACTIVE' } as const;
      registry.replicas.set(forked.replicaId, forked);
      return enrolled;
    },
    readListing: (storeId: string) => registry.readListing(storeId),
    retireReplica: (replicaId: string) => registry.retireReplica(replicaId),
  };
  const deps = { registry: racing, wrongCodes: new MemoryWrongCodes(), clock, ids: { next: () => 'new' }, organization: 'demo' };
  const request = { protocol: 2, code: answer.code, publicKey: key, agentVersion: '1' };
  for (let times = 0; times < 2; times += 1) expect((await enrolFunction(deps, request, '')).replicaId).toBe('S1:new');
  const states = [...registry.replicas].map(([id, { status }]) => [id, status]);
  expect(states).toEqual([
    ['S1:old', 'RETIRED'],
    ['S1:new', 'ACTIVE'],
    ['S1:copy', 'RETIRED'],
  ]);
  await expect(enrolFunction(deps, { ...request, publicKey: other }, '')).rejects.toMatchObject({ code: 'CODE_INVALID' });
});

test('a second machine of a store is let in beside the first, and whoever asks for its code is told', async () => {
  const { registry, ask, enrol, code } = await world();
  await enrol(code, 'first');
  const answer = (await ask({ op: 'store.code', storeId: 'S1', replace: false, by: 'x' })) as { code: string };
  expect(answer).toMatchObject({ active: ['S1:first'], replaces: false });
  await enrol(answer.code, 'second');
  expect([...registry.replicas.values()].map(({ status }) => status)).toEqual(['ACTIVE', 'ACTIVE']);
});

test('INV-25: a store is closed with its codes and replicas, and a new code opens it again', async () => {
  const { registry, time, ask, enrol, code } = await world();
  await enrol(code, 'one');
  const { code: out } = (await ask({ op: 'store.code', storeId: 'S1', replace: false, by: 'x' })) as { code: string };
  time.now += 1_000;
  const at = new Date(time.now).toISOString();
  const closed = { storeId: 'S1', at, waiting: { replicas: [], exceptions: [] }, retired: ['S1:one'] };
  expect(await ask({ op: 'store.decommission', storeId: 'S1', reason: 'the lease ends', force: false, by: 'x' })).toEqual(closed);
  expect(await enrol(out, 'late')).toBeNull();
  expect(await ask({ op: 'store.show', storeId: 'S1' })).toMatchObject({
    store: { closed: { at, reason: 'the lease ends' }, replicas: [{ status: 'RETIRED' }] },
  });
  time.now += 1_000;
  const { code: again } = (await ask({ op: 'store.code', storeId: 'S1', replace: false, by: 'x' })) as { code: string };
  expect((await enrol(again, 'two'))?.store.closed).toBeUndefined();
  expect(registry.stores.get('S1')?.closed).toBeUndefined();
  await expect(ask({ op: 'store.decommission', storeId: 'nowhere', reason: 'none', force: true, by: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a store whose operations wait is closed only by force, and what waits is named', async () => {
  const { registry, time, uploads, ask, enrol, code } = await world();
  const replicaId = (await enrol(code, 'one'))?.replica.replicaId ?? '';
  const box = new TestOutbox();
  await uploads.store(await uploads.readHead(replicaId), [box.put('customer', { user_id: '1' })], time.now);
  const close = (force: boolean) => ask({ op: 'store.decommission', storeId: 'S1', reason: 'the lease ends', force, by: 'x' });
  await expect(close(false)).rejects.toMatchObject({
    code: 'NOT_COMPLETE',
    message: expect.stringMatching(/left as it is: 1 operations of S1:one .*--force/) as string,
  });
  expect([registry.replicas.get(replicaId)?.status, registry.stores.get('S1')?.closed]).toEqual(['ACTIVE', undefined]);
  expect((await enrol(code, 'one'))?.replica.replicaId).toBe(replicaId);
  const waiting = { replicas: [{ replicaId, operations: 1 }], exceptions: [] };
  expect(await close(true)).toMatchObject({ waiting, retired: [replicaId] });
  expect((await uploads.readHead(replicaId)).stored.seq).toBe(1);
});

test('INV-11, INV-25: a replica whose operations wait is revoked only by force, and whoever does it hears what is never applied', async () => {
  const { registry, time, uploads, ask, enrol, code } = await world();
  const replicaId = (await enrol(code, 'one'))?.replica.replicaId ?? '';
  const box = new TestOutbox();
  const operation = box.put('customer', { user_id: '1' });
  await uploads.store(await uploads.readHead(replicaId), [operation], time.now);
  const revoke = (force: boolean) => ask({ op: 'store.revoke', storeId: 'S1', replicaId, only: false, force, reason: 'stolen', by: 'x' });
  await expect(revoke(false)).rejects.toMatchObject({
    code: 'NOT_COMPLETE',
    message: expect.stringMatching(/nothing was revoked: 1 operations of S1:one .*--force/) as string,
  });
  // Also of one that was retired before, whose operations would be applied.
  await registry.retireReplica(replicaId);
  await expect(revoke(false)).rejects.toMatchObject({ code: 'NOT_COMPLETE' });
  // And what waits for another record, unless a copy sent it too that is trusted.
  await uploads.apply({ head: await uploads.readHead(replicaId), appliedThrough: 1, writes: [], receipts: [], lost: [], exceptions: [] });
  const receipt = { seq: 1, opId: operation.opId, status: 'HELD' as const, attributes: [], at: '' };
  const held = { opId: operation.opId, storeId: 'S1', replicaId, copies: ['S1:copy'], operation, receipt, waitsFor: 'customer/1' };
  uploads.exceptions.set(operation.opId, { ...held, against: [], at: '', version: 1 });
  await expect(revoke(false)).resolves.toMatchObject({ revoked: [replicaId], waiting: { replicas: [], exceptions: [] } });
  registry.replicas.set(replicaId, { ...must(registry.replicas.get(replicaId), 'it is there'), status: 'ACTIVE' });
  uploads.exceptions.set(operation.opId, { ...held, copies: [], against: [], at: '', version: 1 });
  await expect(revoke(false)).rejects.toMatchObject({ message: expect.stringMatching(/customer .* HELD/) as string });
  // What is acknowledged between the look and the end is said as well.
  const racing = async (id: string) => {
    await uploads.store(await uploads.readHead(id), [box.put('customer', { user_id: '2' })], time.now);
    await MemoryStoreRegistry.prototype.revokeReplica.call(registry, id);
  };
  registry.revokeReplica = racing;
  expect(await revoke(true)).toMatchObject({
    waiting: { replicas: [{ replicaId, operations: 1 }], exceptions: [{ opId: operation.opId, status: 'HELD' }] },
  });
  // Said once: it is lost already.
  expect(await revoke(false)).toMatchObject({ revoked: [replicaId], waiting: { replicas: [], exceptions: [] } });
});

test('INV-11: what comes in while a store closes is applied', async () => {
  const { deps, registry, time, uploads, ask, enrol, code } = await world();
  const replicaId = (await enrol(code, 'one'))?.replica.replicaId ?? '';
  const voidCodes = registry.voidCodes.bind(registry);
  registry.voidCodes = async (...input) => {
    await uploads.store(await uploads.readHead(replicaId), [new TestOutbox().put('customer', { user_id: '1' })], time.now);
    await voidCodes(...input);
  };
  await ask({ op: 'store.decommission', storeId: 'S1', reason: 'the lease ends', force: false, by: 'x' });
  const rung: string[] = [];
  const doorbell = { ring: (id: string) => Promise.resolve(void rung.push(id)) };
  expect(await ringWaiting({ ...deps, doorbell })).toBe(1);
  expect([rung, registry.isTrusted(replicaId)]).toEqual([[replicaId], true]);
});

test('a replica that was given up is revoked alone, and the one that goes on in its place stays', async () => {
  const { registry, ask, enrol, code } = await world();
  const old = (await enrol(code, 'old'))?.replica;
  if (old === undefined) throw new Error('it is enrolled');
  registry.replicas.set('S1:on', { ...old, replicaId: 'S1:on', forkedFrom: old.replicaId });
  const revoke = { op: 'store.revoke', storeId: 'S1', only: true, force: false, reason: 'restored', by: 'x' };
  await expect(ask(revoke)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await ask({ ...revoke, replicaId: old.replicaId })).toMatchObject({ revoked: [old.replicaId] });
  expect([...registry.replicas.values()].map(({ status }) => status)).toEqual(['REVOKED', 'ACTIVE']);
});
