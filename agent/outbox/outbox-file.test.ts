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
  return { opId, seq, status: 'ACCEPTED', at: '2026-11-01T00:00:00.000Z', rev: 5, reason: null, attributes: [] } as unknown as Receipt;
}

test('INV-11: what a restored head office lost goes up again, and its old receipts are void; the rest stays closed', () => {
  const [first = '', second = '', third = ''] = recorded(3);
  const receipts = [receiptOf(first, 1), receiptOf(second, 2), receiptOf(third, 3)];
  outbox.acknowledge({ storedThrough: 3, receipts, revised: [] });
  expect(outbox.isAheadOf({ storedThrough: 3, appliedThrough: 3 })).toBe(false);

  const restored = { storedThrough: 2, appliedThrough: 1 };
  expect(outbox.isAheadOf(restored)).toBe(true);
  outbox.rewind(restored);
  expect(outbox.unsent(10).map(({ opId }) => opId)).toEqual([third]);
  expect(outbox.counts()).toMatchObject({ ACCEPTED: 1, PENDING: 2 });
  expect(outbox.receiptsThrough()).toBe(1);
  expect(outbox.isAheadOf(restored)).toBe(false);

  outbox.acknowledge({ storedThrough: 3, receipts: [receiptOf(second, 2), { ...receiptOf(third, 3), status: 'DUPLICATE' }], revised: [] });
  expect(outbox.counts()).toMatchObject({ ACCEPTED: 2, DUPLICATE: 1, PENDING: 0 });
});
