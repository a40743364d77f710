import { beforeEach, expect, test } from 'vitest';
import { packOperations } from '../../codec/operation-lines.ts';
import { pack, PAGE_LEVEL, sha256Hex } from '../../codec/pack.ts';
import { uploadKey } from '../../core/upload/upload-key.ts';
import { limits } from '../../protocol/limits.ts';
import type { UploadObject } from '../../protocol/messages/push.ts';
import type { Operation } from '../../protocol/operation.ts';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';
import { applyReplica } from '../apply/apply.ts';
import { sweepUploads } from '../apply/sweep-uploads.ts';
import { push } from './push.ts';

let world: UploadWorld;
let replicaId: string;
let outbox: TestOutbox;
const bill = (id: string, amount = '1') => ({
  till_code: 'T',
  bill_client_id: id,
  type: 'NOT_INTERESTED',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'UTC',
  amount,
  currency_code: 'GBP',
  store_code: 'S1',
});

beforeEach(() => {
  world = new UploadWorld();
  replicaId = world.replica('S1');
  outbox = new TestOutbox();
  for (let index = 0; index < 250; index += 1) outbox.put('bill', bill(String(index)));
});

interface Packed extends UploadObject {
  readonly content: Uint8Array;
}

async function packed(operations: readonly Operation[] = outbox.operations, content?: Uint8Array): Promise<Packed> {
  const bytes = content ?? (await packOperations(operations));
  const last = operations.at(-1);
  if (last === undefined) throw new Error('there are operations');
  return { through: { seq: last.seq, chain: last.chain }, bytes: bytes.length, sha256: sha256Hex(bytes), content: bytes };
}

function announce({ through, bytes, sha256 }: Packed, after = 0, from = outbox) {
  const object = { through, bytes, sha256 };
  return push(world.deps, replicaId, {
    protocol: 1,
    agentVersion: 'test',
    after: from.markAt(after),
    operations: [],
    object,
    receiptsAfter: 0,
  });
}
const keyOfObject = ({ through, sha256 }: Packed, after = 0, of = replicaId) => uploadKey(of, { after, through, sha256 });
const put = (object: Packed, after = 0, of = replicaId) => world.objects.put(keyOfObject(object, after, of), object.content);
const stored = async () => (await world.uploads.readHead(replicaId)).stored.seq;

test('INV-10, INV-11: an address until it is there, then it is stored once, applied in order and thrown away', async () => {
  const object = await packed();
  expect(await announce(object)).toMatchObject({ storedThrough: 0, put: { url: expect.stringContaining(object.sha256) as string } });
  await put(object);
  expect(await announce(object)).toMatchObject({ storedThrough: 250 });
  // The answer was lost.
  expect(await announce(object)).toMatchObject({ storedThrough: 250 });
  expect(await applyReplica(world.deps, replicaId)).toEqual({ applied: 250, more: false });
  expect(await applyReplica(world.deps, replicaId)).toEqual({ applied: 0, more: false });
  const receipts = await world.uploads.readReceipts(replicaId, 0, 1_000);
  expect(receipts.map(({ seq }) => seq)).toEqual(outbox.operations.map(({ seq }) => seq));
  expect(world.objects.objects.size).toBe(0);
  // And it is known after it is gone.
  expect(await announce(object)).toMatchObject({ storedThrough: 250, appliedThrough: 250 });
});

test.each<[string, () => Promise<Packed>]>([
  ['bytes that are not packed', () => packed(outbox.operations, Buffer.from('not packed'))],
  [
    'more unpacked than one may hold',
    async () => packed(outbox.operations, await pack('0'.repeat(limits.uploadRawBytesMax + 1), PAGE_LEVEL)),
  ],
  ['fewer operations than announced', async () => packed(outbox.operations, await packOperations(outbox.operations.slice(0, 249)))],
  ['lines that are no operations', async () => packed(outbox.operations, await pack('{}\n'.repeat(249), PAGE_LEVEL))],
  [
    'another content than its chain',
    async () => {
      const [first, ...rest] = outbox.operations as [Operation, ...Operation[]];
      return packed(outbox.operations, await packOperations([{ ...first, fields: bill('0', '2') }, ...rest]));
    },
  ],
  [
    'another end than announced',
    async () => {
      const object = await packed();
      return { ...object, through: { seq: 250, chain: 'f'.repeat(64) } };
    },
  ],
])('INV-10: %s are refused, and nothing is stored', async (_, make) => {
  const object = await make();
  await put(object);
  await expect(announce(object)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect(await stored()).toBe(0);
});

test('INV-10: what is not the announced bytes, or another replica’s, is as if it were not there', async () => {
  const object = await packed();
  world.objects.objects.set(keyOfObject(object), Buffer.from('other bytes'));
  expect(await announce(object)).toMatchObject({ storedThrough: 0, put: {} });
  world.objects.objects.clear();
  await put(object, 0, world.replica('S2'));
  expect(await announce(object)).toMatchObject({ storedThrough: 0, put: {} });
});

test('INV-10: gaps and other pasts are refused before anything is put', async () => {
  const rest = await packed(outbox.operations.slice(100));
  await expect(announce(rest, 100)).rejects.toMatchObject({ code: 'OUTBOX_GAP', details: { storedThrough: 0 } });
  const object = await packed();
  await put(object);
  await announce(object);
  const other = new TestOutbox();
  for (let index = 0; index < 251; index += 1) other.put('bill', bill(`x${index}`));
  await expect(announce(await packed(other.operations.slice(250)), 250, other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
  await expect(announce(await packed(other.operations.slice(0, 250)), 0, other)).rejects.toMatchObject({ code: 'REPLICA_FORKED' });
});

test('INV-10: an object that is lost before it is applied is wanted again, and only as it was', async () => {
  const object = await packed();
  await put(object);
  await announce(object);
  world.objects.objects.clear();
  await applyReplica(world.deps, replicaId);
  expect(await announce(object)).toMatchObject({ appliedThrough: 0, wanted: { after: 0, through: 250 }, put: {} });
  await put(object);
  const answer = await announce(object);
  expect([answer.wanted, answer.storedThrough]).toEqual([undefined, 250]);
  expect(await applyReplica(world.deps, replicaId)).toMatchObject({ applied: 250 });
});

test('what was put and never announced is swept after a day; what waits to be applied is not', async () => {
  const [first, second] = [await packed(outbox.operations.slice(0, 100)), await packed(outbox.operations.slice(100))];
  await put(first);
  await announce(first);
  await put(second, 100);
  const sweep = () => sweepUploads({ uploads: world.uploads, objects: world.objects, clock: { now: () => world.now } });
  expect(await sweep()).toBe(0);
  world.now += limits.uploadUnclaimedMs + 1;
  expect(await sweep()).toBe(1);
  expect([...world.objects.objects.keys()]).toEqual([keyOfObject(first)]);
});
