import { expect, test } from 'vitest';
import { collectionOf, valueFields } from '../../protocol/catalogue/catalogue.ts';
import { toWire } from '../../protocol/catalogue/record.ts';
import type { MainRecord } from '../ports/record-store.ts';
import type { FoldedRow } from '../snapshot/fold.ts';
import { compareRecord } from './compare-record.ts';

const collection = collectionOf('associate');
const columns = valueFields(collection).map(({ name }) => name);
const fieldsOf = (store: string, name: string) => ({ associate_id: 'a', code: 'a', store_code: store, firstname: name });
const row = (rev: number, name: string | null): FoldedRow =>
  name === null
    ? { key: 'a', rev, columns: null, row: null }
    : { key: 'a', rev, columns, row: ['a', rev, ...toWire(collection, fieldsOf('S1', name))] };
const record = (rev: number, store: string, more: Partial<MainRecord> = {}): MainRecord => ({
  collection: 'associate',
  key: 'a',
  rev,
  scopes: [`store:${store}`],
  deleted: false,
  updatedAt: '',
  fields: fieldsOf(store, 'Ann'),
  ...more,
});
const compare = (feed: FoldedRow, main: MainRecord | null) =>
  compareRecord({
    collection: 'associate',
    scope: 'store:S1',
    row: feed,
    record: main,
    settings: { withheld: new Set() },
    settledAt: 1_000,
  });

test.each([
  ['the same', row(5, 'Ann'), record(5, 'S1'), { kind: 'equal' }],
  ['other content under the same revision', row(5, 'Bob'), record(5, 'S1'), { kind: 'raise', to: 6 }],
  ['older in the feed', row(5, 'Ann'), record(8, 'S1'), { kind: 'raise', to: 9 }],
  ['older in main data, which was restored', row(8, 'Ann'), record(5, 'S1'), { kind: 'raise', to: 9 }],
  ['gone from the feed', row(5, null), record(5, 'S1'), { kind: 'raise', to: 6 }],
  ['deleted in main data', row(5, 'Ann'), record(8, 'S1', { deleted: true, fields: {} }), { kind: 'raise', to: 9 }],
  ['deleted in both', row(8, null), record(8, 'S1', { deleted: true, fields: {} }), { kind: 'equal' }],
  ['moved elsewhere', row(5, 'Ann'), record(8, 'S2'), { kind: 'remove', rev: 8, raise: null }],
  ['moved elsewhere without a revision', row(5, 'Ann'), record(5, 'S2'), { kind: 'remove', rev: 6, raise: 7 }],
  ['removed by hand', row(5, 'Ann'), null, { kind: 'remove', rev: 6, raise: null }],
  ['changed a moment ago', row(5, 'Ann'), record(1_001, 'S1'), { kind: 'on-its-way' }],
])('INV-41: %s', (_, feed, main, expected) => {
  expect(compare(feed, main)).toEqual(expected);
});
