import { expect, test } from 'vitest';
import type { MainRecord, RecordStore, RecordWrite } from '../../core/ports/record-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { ApplyStep, UploadException, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import type { Operation, Receipt } from '../../protocol/operation.ts';
import { TestOutbox } from '../fixtures/operations.ts';

/** What every store of uploads promises. `open` gives one with a replica that is active and was never heard of. */
export interface OpenUploads {
  readonly uploads: UploadStore;
  readonly records: RecordStore;
  readonly replicaId: string;
  readonly registry: Pick<StoreRegistry, 'retireReplica' | 'revokeReplica'>;
}

const at = '2026-11-23T08:00:00.000Z';
const receiptOf = ({ seq, opId }: Operation, status: Receipt['status'] = 'ACCEPTED'): Receipt => ({
  seq,
  opId,
  status,
  attributes: [],
  at,
});

async function readAfter(uploads: UploadStore, { replicaId, after, max }: { replicaId: string; after: number; max: number }) {
  const entries = await uploads.readInbox(replicaId, after, max);
  const operations = entries.flatMap((entry) => (entry.kind === 'operations' ? entry.operations : []));
  return operations.filter(({ seq }) => seq > after).slice(0, max);
}

export function uploadStoreSuite(open: () => Promise<OpenUploads>): void {
  const outboxOf = (count: number) => {
    const outbox = new TestOutbox();
    for (let index = 0; index < count; index += 1) outbox.put('customer', { user_id: `c${index}`, firstname: 'Ann' });
    return outbox;
  };
  const write = (key: string, previousRev: number | null = null): RecordWrite => {
    const record: MainRecord = {
      collection: 'customer',
      key,
      rev: (previousRev ?? 0) + 10,
      scopes: ['org'],
      deleted: false,
      updatedAt: at,
      fields: { user_id: key },
      clocks: { firstname: 7 },
    };
    return { record, previousRev };
  };
  const step = (head: UploadHead, operations: readonly Operation[], more: Partial<ApplyStep> = {}): ApplyStep => ({
    head,
    appliedThrough: head.appliedThrough + operations.length,
    writes: [],
    receipts: operations.map((operation) => receiptOf(operation)),
    exceptions: [],
    lost: [],
    ...more,
  });

  test('INV-10: operations are stored in order, once, and read back from anywhere', async () => {
    const { uploads, replicaId } = await open();
    const { operations } = outboxOf(250);
    const none = await uploads.readHead(replicaId);
    expect(none).toMatchObject({ stored: { seq: 0 }, appliedThrough: 0, revisions: 0 });
    expect(await uploads.store(none, operations.slice(0, 99), 5)).toBe('stored');
    expect(await uploads.store(none, operations.slice(0, 99), 5)).toBe('conflict');
    const one = await uploads.readHead(replicaId);
    expect(one.stored).toEqual({ seq: 99, chain: operations[98]?.chain });
    expect(await uploads.store(one, operations.slice(99, 100), 5)).toBe('stored');
    expect(await uploads.store(await uploads.readHead(replicaId), operations.slice(100, 199), 5)).toBe('stored');
    expect(await uploads.store(await uploads.readHead(replicaId), operations.slice(199), 5)).toBe('stored');
    for (const after of [0, 1, 57, 98, 99, 100, 150, 198, 199, 249, 250])
      expect(await readAfter(uploads, { replicaId, after, max: 60 })).toEqual(operations.slice(after, after + 60));
  });

  test('INV-42: what is forgotten is gone, whole entries only, and what comes after it is read as before', async () => {
    const { uploads, replicaId } = await open();
    const { operations } = outboxOf(250);
    for (const [from, to] of [
      [0, 99],
      [99, 100],
      [100, 199],
      [199, 250],
    ] as const)
      await uploads.store(await uploads.readHead(replicaId), operations.slice(from, to), 5);
    await uploads.forgetInbox(replicaId, 98);
    expect(await readAfter(uploads, { replicaId, after: 0, max: 250 })).toEqual(operations);
    await uploads.forgetInbox(replicaId, 150);
    expect(await readAfter(uploads, { replicaId, after: 0, max: 250 })).toEqual([]);
    expect(await readAfter(uploads, { replicaId, after: 99, max: 250 })).toEqual([]);
    for (const after of [100, 150, 199, 249])
      expect(await readAfter(uploads, { replicaId, after, max: 60 })).toEqual(operations.slice(after, after + 60));
    await uploads.forgetInbox(replicaId, 250);
    expect(await readAfter(uploads, { replicaId, after: 249, max: 1 })).toEqual([]);
    expect((await uploads.readHead(replicaId)).stored.seq).toBe(250);
  });

  test('INV-11: a step is applied whole and once; of two at the same time one is', async () => {
    const { uploads, records, replicaId } = await open();
    const { operations } = outboxOf(4);
    await uploads.store(await uploads.readHead(replicaId), operations, 5);
    const head = await uploads.readHead(replicaId);
    const key = `${replicaId}-a`;
    const outcomes = await Promise.all([1, 2, 3].map(() => uploads.apply(step(head, operations.slice(0, 2), { writes: [write(key)] }))));
    expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    expect((await records.getMany('customer', [key])).get(key)).toEqual(write(key).record);
    expect(await uploads.readReceipts(replicaId, 0, 10)).toEqual(operations.slice(0, 2).map((operation) => receiptOf(operation)));
    const next = await uploads.readHead(replicaId);
    expect(next.appliedThrough).toBe(2);
    // A record that moved: nothing of the step is done.
    expect(await uploads.apply(step(next, operations.slice(2), { writes: [write(`${key}-b`), write(key, 3)] }))).toBe('conflict');
    expect((await records.getMany('customer', [`${key}-b`])).size).toBe(0);
    expect((await uploads.readHead(replicaId)).appliedThrough).toBe(2);
    expect(await uploads.apply(step(next, operations.slice(2), { writes: [write(`${key}-b`), write(key, 10)] }))).toBe('applied');
    expect((await uploads.readReceipts(replicaId, 1, 10)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  test('INV-25: nothing of a revoked replica is applied', async () => {
    const { uploads, replicaId, registry } = await open();
    const { operations } = outboxOf(1);
    await uploads.store(await uploads.readHead(replicaId), operations, 5);
    const head = await uploads.readHead(replicaId);
    await registry.revokeReplica(replicaId);
    expect(await uploads.apply(step(head, operations))).toBe('conflict');
    expect((await uploads.readHead(replicaId)).appliedThrough).toBe(0);
  });

  test('INV-11: what a retired replica had stored is applied', async () => {
    const { uploads, replicaId, registry } = await open();
    const { operations } = outboxOf(1);
    await uploads.store(await uploads.readHead(replicaId), operations, 5);
    const head = await uploads.readHead(replicaId);
    await registry.retireReplica(replicaId);
    expect(await uploads.apply(step(head, operations))).toBe('applied');
    expect((await uploads.readHead(replicaId)).appliedThrough).toBe(1);
  });

  test('INV-25: what waited of a replica that was revoked since is closed by a person only', async () => {
    const { uploads, replicaId, registry } = await open();
    const [operation] = outboxOf(1).operations as [Operation];
    await uploads.store(await uploads.readHead(replicaId), [operation], 5);
    const receipt = receiptOf(operation, 'HELD');
    const exception = {
      opId: operation.opId,
      storeId: replicaId.split(':')[0] ?? '',
      replicaId,
      operation,
      receipt,
      waitsFor: 'customer/x',
    };
    const held: UploadException = { ...exception, copies: [], against: [], at, version: 1 };
    await uploads.apply(step(await uploads.readHead(replicaId), [operation], { exceptions: [held], receipts: [receipt] }));
    await registry.revokeReplica(replicaId);
    const close = { writes: [], lost: [], receipt: { ...receipt, status: 'ACCEPTED' as const }, exception: null, by: 'x' };
    expect(await uploads.closeException(held, { ...close, sender: replicaId })).toBe('conflict');
    expect(await uploads.readException(held.opId)).toEqual(held);
    expect(await uploads.closeException(held, { ...close, sender: null })).toBe('closed');
  });

  test('an exception is listed, found by what it waits for, and closed once; the replica hears of it', async () => {
    const { uploads, replicaId } = await open();
    const outbox = outboxOf(3);
    await uploads.store(await uploads.readHead(replicaId), outbox.operations, 5);
    const waitsFor = `customer/${replicaId}-owner`;
    const exceptions = outbox.operations.map((operation, index): UploadException => ({
      opId: operation.opId,
      storeId: replicaId.split(':')[0] ?? '',
      replicaId,
      copies: [],
      operation,
      receipt: receiptOf(operation, index === 2 ? 'CONFLICT' : 'HELD'),
      waitsFor: index === 2 ? null : waitsFor,
      against: ['bill 7'],
      at,
      version: 1,
    }));
    await uploads.apply(
      step(await uploads.readHead(replicaId), outbox.operations, { exceptions, receipts: exceptions.map(({ receipt }) => receipt) }),
    );
    const storeId = exceptions[0]?.storeId ?? '';
    expect(await uploads.listExceptions({ storeId, max: 2 })).toEqual({ exceptions: exceptions.slice(0, 2), next: exceptions[1]?.opId });
    expect((await uploads.listExceptions({ storeId, after: exceptions[1]?.opId ?? '', max: 2 })).exceptions).toEqual(exceptions.slice(2));
    expect((await uploads.listExceptions({ storeId, status: 'CONFLICT', max: 9 })).exceptions).toEqual(exceptions.slice(2));
    expect(await uploads.readHeld(waitsFor)).toEqual(exceptions.slice(0, 2));
    const [first, second] = exceptions as [UploadException, UploadException, UploadException];
    const receipt = { ...first.receipt, status: 'ACCEPTED' as const, rev: 10 };
    const close = { writes: [write(`${replicaId}-owner`)], lost: [], receipt, exception: null, by: 'someone', sender: null };
    expect(await uploads.closeException(first, close)).toBe('closed');
    expect(await uploads.closeException(first, close)).toBe('conflict');
    expect(await uploads.readException(first.opId)).toBeNull();
    const again = { ...second, version: 2, receipt: { ...second.receipt, status: 'REJECTED' as const }, waitsFor: null };
    expect(await uploads.closeException(second, { ...close, writes: [], receipt: again.receipt, exception: again })).toBe('closed');
    expect(await uploads.readHeld(waitsFor)).toEqual([]);
    expect(await uploads.readException(second.opId)).toEqual(again);
    expect(
      Object.fromEntries((await uploads.readRevised(replicaId, 0, 10)).map(({ receipt: { opId, status } }) => [opId, status])),
    ).toEqual({
      [first.opId]: 'ACCEPTED',
      [second.opId]: 'REJECTED',
    });
    expect((await uploads.readHead(replicaId)).revisions).toBe(2);
    expect((await uploads.readRevised(replicaId, 1, 10)).map(({ number, receipt: { opId } }) => [number, opId])).toEqual([
      [2, second.opId],
    ]);
  });

  test('values that lost a merge are kept', async () => {
    const { uploads, replicaId } = await open();
    const { operations } = outboxOf(1);
    await uploads.store(await uploads.readHead(replicaId), operations, 5);
    const lost = {
      opId: operations[0]?.opId ?? '',
      collection: 'customer',
      key: `${replicaId}-lost`,
      field: 'firstname',
      lost: 'Ann',
      kept: 'Bea',
      from: replicaId,
      clock: 1,
      at,
    };
    expect(await uploads.apply(step(await uploads.readHead(replicaId), operations, { lost: [lost, { ...lost, field: 'lastname' }] }))).toBe(
      'applied',
    );
    const record = { collection: 'customer', key: lost.key };
    expect(await uploads.readLost(record, 9)).toEqual([lost, { ...lost, field: 'lastname' }]);
    expect(await uploads.readLost(record, 1)).toEqual([lost]);
    expect(await uploads.readLost({ ...record, key: `${lost.key}x` }, 9)).toEqual([]);
    await uploads.forgetLost({ ...record, key: `${lost.key}x` });
    expect(await uploads.readLost(record, 9)).toHaveLength(2);
    await uploads.forgetLost(record);
    expect(await uploads.readLost(record, 9)).toEqual([]);
  });
}
