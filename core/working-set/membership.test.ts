import { expect, test } from 'vitest';
import type { MainRecord } from '../ports/record-store.ts';
import { membershipOf } from './membership.ts';

const DAY_MS = 86_400_000;
const now = Date.parse('2026-11-23T08:00:00Z');
const windowMs = 730 * DAY_MS;
const record = (fields: MainRecord['fields'], deleted = false): MainRecord => ({
  collection: '',
  key: '',
  rev: 1,
  scopes: [],
  deleted,
  updatedAt: '',
  fields,
});
const bill = (store: string, daysAgo: number, deleted = false) =>
  record({ store_code: store, billing_time: new Date(now - daysAgo * DAY_MS).toISOString() }, deleted);

test('a customer is where they registered and where a bill of the window is, each store once and in order', () => {
  const customer = record({ registered_store: 'S3' });
  expect(membershipOf(customer, [bill('S2', 10), bill('S1', 5), bill('S2', 20)], { now, windowMs }).scopes).toEqual([
    'store:S1',
    'store:S2',
    'store:S3',
  ]);
  expect(membershipOf(record({}), [], { now, windowMs })).toEqual({ scopes: [], reviewDay: null });
});

test('a bill counts up to the end of the window and not at it, and a deleted one or one without a time not at all', () => {
  const at = (...bills: MainRecord[]) => membershipOf(record({}), bills, { now, windowMs }).scopes;
  expect(at(bill('S1', 730))).toEqual([]);
  expect(membershipOf(record({}), [bill('S1', 730)], { now: now - 1, windowMs }).scopes).toEqual(['store:S1']);
  expect(at(bill('S1', 1, true), record({ store_code: 'S2', billing_time: 'never' }))).toEqual([]);
});

test('the review is on the day on which the first store drops out: that of its newest bill, and never for where they registered', () => {
  const customer = record({ registered_store: 'S1' });
  const reviewDay = (...bills: MainRecord[]) => membershipOf(customer, bills, { now, windowMs }).reviewDay;
  expect(reviewDay(bill('S1', 729))).toBeNull();
  expect(reviewDay(bill('S2', 729), bill('S2', 700), bill('S3', 10))).toBe('2026-12-23');
});
