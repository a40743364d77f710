import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { ATTRIBUTE_STATUSES, type Receipt } from '../../protocol/operation.ts';
import { ALL_ATTRIBUTE_STATUSES } from '../../protocol/sync-details/statuses.ts';
import { attributeStatuses } from './attribute-status.ts';
import { ENTRY_STATUSES, type Entry, type EntryStatus, isWaiting } from './entry.ts';
import type { ServerState } from './overlay.ts';

const collection = collectionOf('customer');
const server: ServerState = { row: { rev: 10, fields: { user_id: 'c1', firstname: 'Ann', city: 'Leeds' } }, completeUntil: null };

function entry(status: EntryStatus, fields: Record<string, string>, receipt: Partial<Receipt> = {}): Entry {
  const operation = { seq: 1, opId: 'o', collection: 'customer', key: 'c1', kind: 'put' as const, fields, base: 10, clock: 1, chain: '' };
  const given = { seq: 1, opId: 'o', status, attributes: [], at: '2026-11-27T10:00:00Z', ...receipt } as Receipt;
  return { operation, status, attempts: 1, capturedAt: 1, receipt: isWaiting(status) ? null : given };
}

const statuses = (entries: Entry[], more: { withheld?: string[]; isStale?: boolean; server?: ServerState } = {}) =>
  attributeStatuses({
    collection,
    server: more.server ?? server,
    entries,
    withheld: new Set(more.withheld),
    isStale: more.isStale === true,
  });

test('what head office has is synced; what was recorded here waits to go up, then for what became of it to come down', () => {
  expect(statuses([])).toEqual({ user_id: 'SYNCED', firstname: 'SYNCED', city: 'SYNCED' });
  expect(statuses([entry('PENDING', { city: 'York', lastname: 'Lee' })])).toMatchObject({
    city: 'PENDING_UPLOAD',
    lastname: 'PENDING_UPLOAD',
  });
  expect(statuses([entry('HELD', { city: 'York' })])).toMatchObject({ city: 'PENDING_UPLOAD' });
  const accepted = entry('MERGED', { city: 'York' }, { rev: 11 });
  expect(statuses([accepted])).toMatchObject({ city: 'PENDING_DOWNLOAD', firstname: 'SYNCED' });
  const arrived = { row: { rev: 11, fields: { user_id: 'c1', city: 'York' } }, completeUntil: null };
  expect(statuses([accepted], { server: arrived })).toEqual({ user_id: 'SYNCED', city: 'SYNCED' });
});

test.each(ATTRIBUTE_STATUSES)('%s stands until something else is recorded of the attribute', (status) => {
  const refused = entry('ACCEPTED_WITH_WARNINGS', { city: '?' }, { rev: 9, attributes: [{ field: 'city', status, reason: 'x' }] });
  expect(statuses([refused])).toMatchObject({ city: status });
  expect(statuses([refused, entry('PENDING', { city: 'York' })])).toMatchObject({ city: 'PENDING_UPLOAD' });
});

test('what is not shared is never shown as empty; what head office computes may be old', () => {
  expect(statuses([], { withheld: ['religion'] })).toMatchObject({ religion: 'WITHHELD' });
  const summary = collectionOf('loyalty_summary');
  const row = { rev: 1, fields: { user_id: 'c1', program_id: 'p', points: '5', loyalty_id: 'l' } };
  const of = (isStale: boolean) =>
    attributeStatuses({ collection: summary, server: { row, completeUntil: null }, entries: [], withheld: new Set(), isStale });
  expect(of(true)).toEqual({ user_id: 'SYNCED', program_id: 'SYNCED', loyalty_id: 'SYNCED', points: 'STALE' });
  expect(of(false)['points']).toBe('SYNCED');
});

test('INV-15: every attribute has one status of the list, whatever was recorded', () => {
  const outcome = fc.record({
    field: fc.constantFrom('city', 'firstname'),
    status: fc.constantFrom(...ATTRIBUTE_STATUSES),
    reason: fc.constant('x'),
  });
  const entries = fc.array(
    fc.record({
      status: fc.constantFrom(...ENTRY_STATUSES),
      fields: fc.dictionary(fc.constantFrom('city', 'firstname', 'lastname'), fc.string()),
      receipt: fc.record({ rev: fc.nat(20), attributes: fc.array(outcome, { maxLength: 2 }) }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(entries, fc.boolean(), (made, isStale) => {
      const found = statuses(
        made.map(({ status, fields, receipt }) => entry(status, fields, receipt)),
        { isStale },
      );
      for (const name of ['user_id', 'firstname', 'city']) expect(ALL_ATTRIBUTE_STATUSES).toContain(found[name]);
    }),
  );
});
