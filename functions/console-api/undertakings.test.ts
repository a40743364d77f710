import { expect, test } from 'vitest';
import type { Actor } from '../../core/ports/audit-log.ts';
import { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { organizationSchema } from '../../protocol/organization.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUndertakingStore } from '../../test/simulation/world/memory-undertaking-store.ts';
import type { Undertaking } from '../../protocol/undertaking.ts';
import { takenStep } from '../undertakings/taken-step.ts';
import { undertakingsApi } from './undertakings.ts';

const ann: Actor = { name: 'ann', subject: 'u1', role: 'admin', via: 'OIDC' };
const bob: Actor = { name: 'bob', subject: 'u2', role: 'admin', via: 'OIDC' };
const REBUILD = { op: 'rebuild.begin', component: 'Associates', reason: 'the stream was lost' };

function world(approval?: { storesMin: number }) {
  const time = { now: Date.parse('2026-11-28T10:00:00.000Z') };
  const registry = new MemoryStoreRegistry();
  for (const [storeId, edition, status] of [
    ['S1', 'core', 'ACTIVE'],
    ['S2', 'clienteling', 'ACTIVE'],
    ['S3', 'clienteling', 'ACTIVE'],
    ['S4', 'clienteling', 'REVOKED'],
  ] as const) {
    registry.stores.set(storeId, { storeId, name: storeId, edition, zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
    registry.replicas.set(`${storeId}:r`, { replicaId: `${storeId}:r`, storeId, publicKey, status, enrolledAt: '' });
  }
  const settings = { name: 'demo', displayName: 'D', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP', approval };
  const undertakings = new MemoryUndertakingStore();
  let made = 0;
  const ids = { next: () => `01890000-0000-7000-8000-00000000000${(made += 1)}` };
  const deps = { registry, undertakings, clock: { now: () => time.now }, ids, organization: organizationSchema.parse(settings) };
  const done = (actor: Actor, request: object) =>
    undertakingsApi(deps, actor, consoleRequestSchema.parse(request) as Parameters<typeof undertakingsApi>[2]);
  const ask = async (actor: Actor, request: object) => ((await done(actor, request)).answer as { undertaking: Undertaking }).undertaking;
  const step = (id: string | undefined, subject = 'Associates') => takenStep(deps, id, { kind: 'rebuild', subject });
  return { time, undertakings, done, ask, step };
}

test('how many stores it reaches is counted: those with a replica that have the component', async () => {
  const { ask } = world();
  expect(await ask(ann, REBUILD)).toMatchObject({ stores: 2, state: 'STARTED', subject: 'Associates' });
  expect(await ask(ann, { op: 'erase.begin', userId: '7', reason: 'asked for it' })).toMatchObject({ stores: 3, state: 'STARTED' });
});

test('INV-50: no step before another admin said yes, one carrying out of it, and none after it is done', async () => {
  const { ask, step, done } = world({ storesMin: 2 });
  const { undertakingId, state } = await ask(ann, REBUILD);
  expect(state).toBe('WAITING');
  await expect(step(undertakingId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(ask(ann, { op: 'approvals.approve', undertakingId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(ask(ann, { op: 'undertaking.carry-out', undertakingId })).rejects.toMatchObject({ message: 'it is WAITING' });
  const said = await done(bob, { op: 'approvals.approve', undertakingId });
  expect(said.change).toEqual({
    before: { undertakingId, state: 'WAITING', stores: 2 },
    after: { undertakingId, state: 'APPROVED', stores: 2 },
  });
  await expect(step(undertakingId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await ask(ann, { op: 'undertaking.carry-out', undertakingId });
  expect(await step(undertakingId)).toMatchObject({ askedBy: { name: 'ann' }, decidedBy: { name: 'bob' } });
  await expect(step(undertakingId, 'Customer')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await ask(ann, { op: 'undertaking.end', undertakingId });
  await expect(step(undertakingId)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(ask(ann, { op: 'undertaking.carry-out', undertakingId })).rejects.toMatchObject({ message: 'it is DONE' });
});

test('INV-50: of two who decide at once one does; the other is told', async () => {
  const { ask, undertakings } = world({ storesMin: 1 });
  const { undertakingId } = await ask(ann, REBUILD);
  const both = await Promise.allSettled([
    ask(bob, { op: 'approvals.approve', undertakingId }),
    ask(ann, { op: 'approvals.reject', undertakingId, reason: 'not needed any more' }),
  ]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(undertakings.undertakings.get(undertakingId)?.state).toBe(both[0].status === 'fulfilled' ? 'APPROVED' : 'REJECTED');
});

test('an erasure keeps a digest of whose it is; the list says what time made of it', async () => {
  const { ask, done, time } = world({ storesMin: 1 });
  await ask(ann, { op: 'erase.begin', userId: 'hepzibah@example.org', reason: 'asked for it' });
  time.now += 24 * 3_600_000;
  const { answer } = await done(bob, { op: 'approvals.list' });
  expect(answer).toMatchObject({ undertakings: [{ kind: 'erase', state: 'EXPIRED' }], next: null });
  expect(JSON.stringify(answer)).not.toContain('hepzibah');
});

test('a step that names no undertaking, or one that nobody asked for, is refused', async () => {
  const { step } = world();
  await expect(step(undefined)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(step('01890000-0000-7000-8000-00000000000f')).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
