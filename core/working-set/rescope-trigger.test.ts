import { expect, test } from 'vitest';
import type { MainRecord } from '../ports/record-store.ts';
import { rescopeTrigger } from './rescope-trigger.ts';

const bill = (more: Partial<MainRecord> = {}): MainRecord => ({
  collection: 'bill',
  key: 'T/1',
  rev: 5,
  scopes: ['store:S1'],
  deleted: false,
  updatedAt: '',
  fields: { user_id: 'ann', store_code: 'S1', amount: '1' },
  owner: 'customer/ann',
  ...more,
});
const asked = (before: MainRecord | null, after: unknown, scopes = { Customer: 'working-set' as const }) =>
  rescopeTrigger({ sequenceNumber: '1', at: 0, before, after }, scopes).map(({ kind, id }) => `${kind} ${id}`);

test('a new bill asks for its place and that of its lines; without a working set nobody asks for anything', () => {
  expect(asked(null, bill())).toEqual(['record bill/T/1', 'children bill/T/1']);
  expect(rescopeTrigger({ sequenceNumber: '1', at: 0, before: null, after: bill() }, {})).toEqual([]);
});

test('a bill that gets another customer, or is deleted, asks for the one it had as well', () => {
  expect(asked(bill(), bill({ rev: 6, owner: 'customer/bob', fields: { user_id: 'bob', store_code: 'S1' } }))).toEqual([
    'record bill/T/1',
    'children customer/ann',
  ]);
  expect(asked(bill(), bill({ rev: 6, deleted: true, fields: {} }))).toContain('children customer/ann');
});

test('what placing writes asks only for what belongs to it', () => {
  expect(asked(bill(), bill({ rev: 6, scopes: ['store:S1', 'store:S2'] }))).toEqual(['children bill/T/1']);
  const line = { ...bill(), collection: 'bill_line', key: 'T/1/1', owner: 'bill/T/1' };
  expect(asked(line, { ...line, rev: 6, scopes: [] })).toEqual([]);
  const customer = { ...bill(), collection: 'customer', key: 'ann', owner: 'review/2028-01-01' };
  expect(asked(customer, { ...customer, rev: 6, owner: 'review/2028-01-02' })).toEqual([]);
});

test('an edit that moves nobody asks for nothing; a record that is only raised is placed again', () => {
  expect(asked(bill(), bill({ rev: 6, fields: { user_id: 'ann', store_code: 'S1', amount: '2' } }))).toEqual([]);
  expect(asked(bill(), bill({ rev: 6 }))).toEqual(['record bill/T/1']);
});

test('what cannot be read asks for nothing', () => {
  expect(asked(null, { collection: 'bill' })).toEqual([]);
  expect(asked(null, { ...bill(), collection: 'nonsense' })).toEqual([]);
});
