import { beforeEach, expect, test } from 'vitest';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';
import type { Operation } from '../../protocol/operation.ts';
import { applyReplica } from '../apply/apply.ts';

let world: UploadWorld;
let replicaId: string;
let outbox: TestOutbox;
const bill = (id: string) => ({
  till_code: 'T',
  bill_client_id: id,
  type: 'NOT_INTERESTED',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'UTC',
  amount: '1',
  currency_code: 'GBP',
  store_code: 'S1',
});

beforeEach(() => {
  world = new UploadWorld();
  replicaId = world.replica('S1');
  outbox = new TestOutbox();
});

const send = (after: number, operations: readonly Operation[], from: TestOutbox = outbox) =>
  world.push(replicaId, from, { after, operations });
/** Numbers that stand in the inbox. */
const held = () =>
  (world.uploads.replicas.get(replicaId)?.inbox ?? []).flatMap((entry) =>
    entry.kind === 'operations' ? entry.operations.map(({ seq }) => seq) : [],
  );
const stored = async () => (await world.uploads.readHead(replicaId)).stored.seq;

test('INV-10: what was stored is stored once, whatever comes again, and the doorbell rings until it is applied', async () => {
  const [one, two] = [outbox.put('bill', bill('1')), outbox.put('bill', bill('2'))];
  expect(await send(0, [one])).toMatchObject({ storedThrough: 1, appliedThrough: 0 });
  expect(await send(0, [one, two])).toMatchObject({ storedThrough: 2 });
  expect(await send(0, [one, two])).toMatchObject({ storedThrough: 2 });
  expect(held()).toEqual([1, 2]);
  expect(world.rung).toEqual([replicaId, replicaId, replicaId]);
});

test('INV-10: a gap is refused and says how far head office is', async () => {
  for (const id of ['1', '2', '3']) outbox.put('bill', bill(id));
  await expect(send(2, outbox.operations.slice(2))).rejects.toMatchObject({ code: 'OUTBOX_GAP', details: { storedThrough: 0 } });
  expect(await stored()).toBe(0);
});

test('INV-10: numbers that do not follow and chains that are not their own are refused, and nothing is stored', async () => {
  const [one, two, three] = ['1', '2', '3'].map((id) => outbox.put('bill', bill(id))) as [Operation, Operation, Operation];
  await expect(send(0, [one, three])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(send(0, [one, { ...two, chain: one.chain }])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(send(0, [{ ...one, fields: { ...one.fields, amount: '2' } }])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await stored()).toBe(0);
});

test('INV-10: another past is seen, wherever it begins', async () => {
  for (const id of ['1', '2', '3']) outbox.put('bill', bill(id));
  await send(0, outbox.operations);
  const other = new TestOutbox();
  other.operations.push(...outbox.operations.slice(0, 1));
  for (const id of ['x', 'y', 'z']) other.put('bill', bill(id));
  await expect(send(1, other.operations.slice(1), other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
  await expect(send(3, other.operations.slice(3), other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
  await expect(send(1, [], other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
  expect(await stored()).toBe(3);
});

test('INV-42: what is applied and known to be stored is gone, and what comes again behind it is still the same past', async () => {
  const [one, two, three] = ['1', '2', '3'].map((id) => outbox.put('bill', bill(id))) as [Operation, Operation, Operation];
  await send(0, [one]);
  await applyReplica(world.deps, replicaId);
  // It has not heard that it is stored.
  for (let lost = 0; lost < 2; lost += 1) expect(await send(0, [one])).toMatchObject({ storedThrough: 1, appliedThrough: 1 });
  await send(1, [two]);
  expect(held()).toEqual([2]);
  expect(await send(1, [two, three])).toMatchObject({ storedThrough: 3, appliedThrough: 1 });
  await applyReplica(world.deps, replicaId);
  const other = new TestOutbox();
  other.operations.push(one);
  other.put('bill', bill('x'));
  await expect(send(1, other.operations.slice(1), other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
  expect(await send(3, [])).toMatchObject({ storedThrough: 3, receipts: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] });
  expect(held()).toEqual([]);
  // A disk of before, which never heard of any of it.
  await expect(send(0, [one])).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
});
