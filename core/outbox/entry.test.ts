import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECEIPT_STATUSES } from '../../protocol/operation.ts';
import { ENTRY_STATUSES, type EntryEvent, type EntryStatus, isClosed, isOpen, isWaiting, statusAfter } from './entry.ts';

const EVENTS: readonly EntryEvent[] = ['given', 'no-answer', 'busy', 'restamped'];

test('every status is exactly one of waiting, open and closed', () => {
  for (const status of ENTRY_STATUSES) expect([isWaiting(status), isOpen(status), isClosed(status)].filter(Boolean)).toHaveLength(1);
});

test('whatever happens on the way, an entry is in one known status, and only a receipt closes it (INV-10)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS)), (events) => {
      let status: EntryStatus = 'PENDING';
      for (const event of events) {
        status = statusAfter(status, event);
        expect(ENTRY_STATUSES).toContain(status);
        expect(isClosed(status)).toBe(false);
      }
    }),
  );
});

test('what has a receipt is moved by receipts only', () => {
  for (const status of RECEIPT_STATUSES) for (const event of EVENTS) expect(statusAfter(status, event)).toBe(status);
});

test('nothing that waits is forgotten by a push: it is given, or stays as it is', () => {
  for (const status of ['PENDING', 'UNCONFIRMED', 'RETRY_WAIT'] as const) {
    expect(statusAfter(status, 'given')).toBe('SENDING');
    expect(statusAfter(status, 'no-answer')).toBe(status);
    expect(statusAfter(status, 'busy')).toBe(status);
  }
  expect(statusAfter('SENDING', 'no-answer')).toBe('UNCONFIRMED');
  expect(statusAfter('SENDING', 'busy')).toBe('RETRY_WAIT');
});
