import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Receipt } from '../../protocol/operation.ts';
import { OutboxFile } from './outbox-file.ts';

let folder: string;
let outbox: OutboxFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'storeline-outbox-'));
  outbox = OutboxFile.open(join(folder, 'outbox.sqlite'), 'S1:r');
});
afterEach(() => {
  outbox.close();
  rmSync(folder, { recursive: true });
});

function recorded(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const key = `u${index}`;
    const opId = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    const operation = { collection: 'customer', key, kind: 'put', fields: { user_id: key }, base: 0 } as const;
    outbox.record({ collection: 'customer', key }, { now: 1_000 + index, opId }, () => operation);
    return opId;
  });
}

function receiptOf(opId: string, seq: number): Receipt {
  return { opId, seq, status: 'ACCEPTED', at: '2026-11-01T00:00:00.000Z', rev: 5, attributes: [] };
}

test('INV-11: what a restored head office lost goes up again, and its old receipts are void; the rest stays closed', () => {
  const [first = '', second = '', third = ''] = recorded(3);
  const receipts = [receiptOf(first, 1), receiptOf(second, 2), receiptOf(third, 3)];
  outbox.acknowledge({ storedThrough: 3, receipts: [], revised: [] });
  expect(outbox.isAheadOf({ storedThrough: 2, appliedThrough: 0, revisions: 0 })).toBe(true);
  outbox.acknowledge({ storedThrough: 3, receipts, revised: [] });
  expect(outbox.isAheadOf({ storedThrough: 3, appliedThrough: 3, revisions: 0 })).toBe(false);

  const restored = { storedThrough: 2, appliedThrough: 1, revisions: 0 };
  expect(outbox.isAheadOf(restored)).toBe(true);
  outbox.rewind(restored);
  expect(outbox.unsent(10).map(({ opId }) => opId)).toEqual([third]);
  expect(outbox.counts()).toMatchObject({ ACCEPTED: 1, PENDING: 2 });
  expect(outbox.receiptsThrough()).toBe(1);
  expect(outbox.isAheadOf(restored)).toBe(false);

  outbox.acknowledge({ storedThrough: 3, receipts: [receiptOf(second, 2), { ...receiptOf(third, 3), status: 'DUPLICATE' }], revised: [] });
  expect(outbox.counts()).toMatchObject({ ACCEPTED: 2, DUPLICATE: 1, PENDING: 0 });
});

test('what head office says again of a receipt is asked for, also by a store that has nothing to send', () => {
  const [first = ''] = recorded(1);
  outbox.acknowledge({ storedThrough: 1, receipts: [{ ...receiptOf(first, 1), status: 'HELD' }], revised: [], revisedThrough: 0 });
  const progress = { storedThrough: 1, appliedThrough: 1 };
  expect(outbox.isBehind({ ...progress, revisions: 0 })).toBe(false);
  expect(outbox.isBehind({ ...progress, revisions: 1 })).toBe(true);
  outbox.acknowledge({ storedThrough: 1, receipts: [], revised: [receiptOf(first, 1)], revisedThrough: 1 });
  expect([outbox.isBehind({ ...progress, revisions: 1 }), outbox.counts().ACCEPTED]).toEqual([false, 1]);
});

test('what is closed stays for its time from when it was closed on, however long ago it was recorded', () => {
  const [first = '', second = ''] = recorded(3);
  const at = (ms: number) => new Date(ms).toISOString();
  outbox.acknowledge({ storedThrough: 3, receipts: [{ ...receiptOf(first, 1), at: at(50_000) }], revised: [] });
  outbox.acknowledge({ storedThrough: 3, receipts: [{ ...receiptOf(second, 2), at: at(90_000) }], revised: [] });
  expect(outbox.purge(50_000)).toBe(0);
  expect(outbox.purge(50_001)).toBe(1);
  expect(outbox.list({ limit: 9 }).map(({ operation }) => operation.opId)).not.toContain(first);
  expect(outbox.counts()).toMatchObject({ ACCEPTED: 1, PENDING: 1 });
});

test('becoming another replica, what waits for somebody goes with it', () => {
  const [first = '', second = '', third = ''] = recorded(3);
  const receipts = [receiptOf(first, 1), { ...receiptOf(second, 2), status: 'HELD' as const }];
  outbox.acknowledge({ storedThrough: 3, receipts, revised: [], revisedThrough: 0 });
  outbox.restamp('S1:other');
  expect(outbox.unsent(9).map(({ opId, seq }) => [opId, seq])).toEqual([
    [second, 1],
    [third, 2],
  ]);
  expect([outbox.unsentCount(), outbox.counts().PENDING, outbox.counts().ACCEPTED]).toEqual([2, 2, 1]);
});
