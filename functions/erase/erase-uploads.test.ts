import { beforeEach, expect, test } from 'vitest';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';
import { applyReplica } from '../apply/apply.ts';
import { eraseUploads, parentsThatWait } from './erase-uploads.ts';

let world: UploadWorld;
let replicaId: string;
let outbox: TestOutbox;

/** The person is customer 7, and 7 is also the number of a bill of somebody else. */
const bill = (id: string, userId: string) => ({
  till_code: 'T',
  bill_client_id: id,
  type: 'REGULAR',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'UTC',
  amount: '7',
  currency_code: 'GBP',
  store_code: 'S1',
  user_id: userId,
});
const line = (id: string) => ({
  till_code: 'T',
  bill_client_id: id,
  line_seq: 1,
  currency_code: 'GBP',
  amount: '7',
  extended_fields: '{"engraving":"Canaria"}',
});

beforeEach(async () => {
  world = new UploadWorld();
  replicaId = world.replica('S1');
  outbox = new TestOutbox();
  outbox.put('bill', bill('a', '7'));
  outbox.put('bill', bill('7', '8'));
  outbox.put('bill_line', line('a'));
  await world.push(replicaId, outbox);
  await applyReplica(world.deps, replicaId);
});

const deps = () => ({ ...world.deps, registry: world.registry });
const waiting = () => [...world.uploads.exceptions.values()].map(({ operation }) => `${operation.collection}/${operation.key}`);

test('INV-42: what waits of the person is closed and its store is told, what is of others waits on, and what is applied leaves the inbox', async () => {
  expect(waiting()).toEqual(['bill/T/a', 'bill/T/7']);
  // The line of a bill that waits is in main data already; only the bill says whose it is.
  expect(await parentsThatWait(deps(), '7')).toEqual(['bill/T/a']);
  expect(await eraseUploads(deps(), { userId: '7', by: 'ann' })).toBe(1);
  expect(waiting()).toEqual(['bill/T/7']);
  expect((await world.uploads.readRevised(replicaId, 0, 9)).map(({ receipt }) => [receipt.status, receipt.reason])).toEqual([
    ['DISCARDED', 'the customer was erased'],
  ]);
  expect(world.uploads.replicas.get(replicaId)?.inbox).toEqual([]);
  expect(await eraseUploads(deps(), { userId: '7', by: 'ann' })).toBe(0);
});

test('what is stored and not applied stays', async () => {
  const next = outbox.put('bill', bill('b', '7'));
  await world.push(replicaId, outbox, { after: 3 });
  await eraseUploads(deps(), { userId: '7', by: 'ann' });
  const inbox = world.uploads.replicas.get(replicaId)?.inbox ?? [];
  expect(inbox.flatMap((entry) => (entry.kind === 'operations' ? entry.operations : []))).toEqual([next]);
});
