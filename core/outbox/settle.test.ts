import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECEIPT_STATUSES, WAITING_STATUSES, type Receipt, type ReceiptStatus } from '../../protocol/operation.ts';
import { type EntryStatus, isClosed } from './entry.ts';
import { type KnownEntry, settle } from './settle.ts';

const receipt = (opId: string, status: ReceiptStatus, more: Partial<Receipt> = {}): Receipt => ({
  seq: 1,
  opId,
  status,
  attributes: [],
  at: '2026-11-23T08:00:00Z',
  ...more,
});
const waiting: KnownEntry = { status: 'SENDING', receipt: null };

test('INV-13: a receipt closes the operation whose id it names, whatever number it has', () => {
  const entries = new Map([
    ['a', waiting],
    ['b', waiting],
  ]);
  // The number of `b` was the number of an operation that another past of this outbox had.
  const receipts = [receipt('gone', 'ACCEPTED', { seq: 2 }), receipt('a', 'REJECTED', { seq: 7 })];
  expect(settle(entries, { receipts, revised: [] })).toEqual([{ opId: 'a', receipt: receipts[1] }]);
});

test('a first receipt is taken once; a revised one changes what is open and nothing that is closed', () => {
  const held = receipt('a', 'HELD');
  const accepted = receipt('a', 'ACCEPTED', { rev: 7, at: '2026-11-23T08:01:00Z' });
  const open = new Map([['a', { status: 'HELD', receipt: held } as KnownEntry]]);
  expect(settle(open, { receipts: [accepted], revised: [] })).toEqual([]);
  expect(settle(open, { receipts: [held], revised: [held] })).toEqual([]);
  expect(settle(open, { receipts: [], revised: [accepted] })).toEqual([{ opId: 'a', receipt: accepted }]);
  const closed = new Map([['a', { status: 'ACCEPTED', receipt: accepted } as KnownEntry]]);
  expect(settle(closed, { receipts: [], revised: [held] })).toEqual([]);
  // In one answer the revised one is the newer one.
  expect(settle(new Map([['a', waiting]]), { receipts: [held], revised: [accepted] })).toEqual([{ opId: 'a', receipt: accepted }]);
});

test('whatever answers come, entries keep their number, and what is closed stays as it is', () => {
  const ids = ['a', 'b', 'c', 'd'];
  const anyReceipt = fc.record({ opId: fc.constantFrom(...ids, 'x'), status: fc.constantFrom(...RECEIPT_STATUSES), minute: fc.nat(9) });
  const answers = fc.array(fc.record({ receipts: fc.array(anyReceipt), revised: fc.array(anyReceipt) }));
  fc.assert(
    fc.property(answers, fc.constantFrom(...WAITING_STATUSES), (all, first) => {
      const entries = new Map<string, { status: EntryStatus; receipt: Receipt | null }>(
        ids.map((id) => [id, { status: first, receipt: null }]),
      );
      for (const answer of all) {
        const of = (list: readonly { opId: string; status: ReceiptStatus; minute: number }[]) =>
          list.map(({ opId, status, minute }) => receipt(opId, status, { at: `2026-11-23T08:0${minute}:00Z` }));
        const before = new Map(entries);
        for (const { opId, receipt: taken } of settle(entries, { receipts: of(answer.receipts), revised: of(answer.revised) })) {
          expect(entries.has(opId)).toBe(true);
          const was = before.get(opId);
          expect(was !== undefined && isClosed(was.status)).toBe(false);
          entries.set(opId, { status: taken.status, receipt: taken });
        }
        expect(entries.size).toBe(ids.length);
        for (const { status, receipt: own } of entries.values()) expect(own === null ? first : own.status).toBe(status);
      }
    }),
  );
});
