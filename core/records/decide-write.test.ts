import { expect, test } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { decideEdit } from './decide-write.ts';

const ofAnn: MainRecord = {
  collection: 'customer_identifier',
  key: 'INSTORE/-/MOBILE/447700900007',
  rev: 5,
  scopes: ['store:S1'],
  deleted: false,
  updatedAt: '2026-11-23T08:00:00.000Z',
  fields: { source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900007', user_id: 'ann' },
  owner: 'customer/ann',
};

/** What an edit leaves of a record that goes where its customer is. */
function edited(current: MainRecord, user: string, more: object = {}): MainRecord | null {
  const edit = decideEdit({
    collection: collectionOf('customer_identifier'),
    key: current.key,
    fields: { ...current.fields, user_id: user, ...more },
    scopes: null,
    owner: `customer/${user}`,
    current,
    now: 9,
  });
  return edit.outcome === 'write' ? edit.write.record : null;
}

test('a record stays where its customer is, and asks for nothing when nothing changes', () => {
  expect(edited(ofAnn, 'ann', { is_primary: true })).toMatchObject({ scopes: ['store:S1'], owner: 'customer/ann' });
  expect(edited(ofAnn, 'ann')).toBeNull();
});

test('INV-08: a record that gets another customer, or comes again, is in no store before it is placed', () => {
  expect(edited(ofAnn, 'bob')).toMatchObject({ scopes: [], owner: 'customer/bob' });
  expect(edited({ ...ofAnn, deleted: true, fields: {} }, 'ann')).toMatchObject({ scopes: [], owner: 'customer/ann' });
});

test('INV-08: a customer who comes again after a deletion is in no store before being placed', () => {
  const gone = { ...ofAnn, collection: 'customer', key: 'ann', deleted: true, fields: {}, owner: 'review/2028-11-22' };
  const edit = { collection: collectionOf('customer'), key: 'ann', scopes: null, owner: undefined, now: 9 };
  expect(decideEdit({ ...edit, fields: { user_id: 'ann' }, current: gone })).toMatchObject({ write: { record: { scopes: [] } } });
  const standing = { ...gone, deleted: false, fields: { user_id: 'ann' } };
  expect(decideEdit({ ...edit, fields: { user_id: 'ann', firstname: 'Ann' }, current: standing })).toMatchObject({
    write: { record: { scopes: ['store:S1'], owner: 'review/2028-11-22' } },
  });
});
