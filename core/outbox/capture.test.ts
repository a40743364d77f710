import { describe, expect, it } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { captureDelete, capturePut, recordKey, writableCollection } from './capture.ts';
import type { RecordView } from './overlay.ts';

const terms = { edition: 'core' as const, withheld: ['customer.dob'] };
const nothing: RecordView = { fields: null, pending: false, base: 0 };
const seen = (fields: Record<string, string>, base = 5): RecordView => ({ fields, pending: false, base });
const put = (name: string, record: Record<string, unknown>, view: RecordView = nothing) =>
  capturePut({ collection: collectionOf(name), record, seen: view, terms });
const bill = {
  till_code: 'T1',
  bill_client_id: 'b1',
  type: 'REGULAR',
  number: '1',
  billing_time: '2026-11-23T08:00:00Z',
  billing_zone: 'Europe/London',
  amount: '12.50',
  currency_code: 'GBP',
  store_code: 'S1',
};

describe('writableCollection', () => {
  it('says why a store does not write such records', () => {
    expect(writableCollection('customer', terms)).toMatchObject({ outcome: 'writable' });
    expect(writableCollection('inventory_master', terms)).toMatchObject({ outcome: 'refused', code: 'COMPONENT_NOT_USED' });
    expect(writableCollection('reminder', terms)).toMatchObject({ outcome: 'refused', code: 'COMPONENT_NOT_ENABLED' });
    expect(writableCollection('reminder', { edition: 'clienteling' })).toMatchObject({ outcome: 'writable' });
    // Not known yet: head office decides.
    expect(writableCollection('reminder', { edition: null })).toMatchObject({ outcome: 'writable' });
    expect(writableCollection('fraud_user', terms)).toMatchObject({ outcome: 'refused', code: 'INVALID_INPUT' });
    expect(writableCollection('nonsense', terms)).toMatchObject({ outcome: 'refused', code: 'UNKNOWN_COLLECTION' });
  });
});

describe('capturePut', () => {
  it('sends of a merged record only what differs from what the user saw', () => {
    const view = seen({ user_id: 'c1', firstname: 'Ann', city: 'Bonn', language: 'de' });
    expect(put('customer', { user_id: 'c1', firstname: 'Bea', city: 'Bonn', language: null }, view)).toEqual({
      outcome: 'write',
      kind: 'put',
      key: 'c1',
      fields: { firstname: 'Bea', language: null },
      base: 5,
    });
    expect(put('customer', { user_id: 'c1', firstname: 'Ann' }, view)).toEqual({ outcome: 'unchanged', key: 'c1' });
  });

  it('sends a fact whole, in its canonical form', () => {
    expect(put('bill', bill)).toMatchObject({ outcome: 'write', key: 'T1/b1', fields: { ...bill, amount: '12.5' }, base: 0 });
    const view = seen({ ...bill, amount: '12.5' });
    expect(put('bill', bill, view)).toMatchObject({ outcome: 'unchanged' });
    expect(put('bill', { ...bill, delivery_status: 'PLACED' }, view)).toMatchObject({
      outcome: 'write',
      fields: { ...bill, amount: '12.5', delivery_status: 'PLACED' },
    });
    // What head office added is not sent back.
    const derived = put('bill', { ...bill, delivery_status: 'PLACED' }, seen({ ...bill, amount: '12.5', id: 'h7' }));
    expect(derived.outcome === 'write' && 'id' in derived.fields).toBe(false);
  });

  it('refuses what is wrong whatever head office says', () => {
    const issue = (field: string) => ({ outcome: 'refused', code: 'INVALID_INPUT', issues: [expect.objectContaining({ field })] });
    expect(put('bill', { ...bill, amount: '13' }, seen({ ...bill, amount: '12.5' }))).toMatchObject(issue('amount'));
    expect(put('bill', { ...bill, colour: 'red' })).toMatchObject(issue('colour'));
    expect(put('bill', { ...bill, points: {} })).toMatchObject(issue('points'));
    expect(put('customer', { firstname: 'Ann' })).toMatchObject(issue('user_id'));
    const ann = seen({ user_id: 'c1', firstname: 'Ann' });
    expect(put('customer', { user_id: 'c1', status: 'SUSPENDED' }, ann)).toMatchObject(issue('status'));
    expect(put('customer', { user_id: 'c1', dob: '1990-01-01' }, ann)).toMatchObject(issue('dob'));
    expect(put('customer', { user_id: 'c1', colour: 'red' }, ann)).toMatchObject(issue('colour'));
    expect(put('customer', { user_id: 'c1', colour: null }, ann)).toMatchObject(issue('colour'));
    expect(put('customer', { user_id: 'c1', anniversary: 'soon' }, ann)).toMatchObject(issue('anniversary'));
    expect(put('customer', { user_id: 'c1', extended_fields: { Religion: 'x' } }, ann)).toMatchObject(issue('extended_fields'));
  });

  it('a record that is there keeps what it must have', () => {
    const view = seen({ subscription_id: 's1' });
    expect(put('custom_field_value', { entity_type: 'BILL', entity_id: 'b', scope: 'x' }, view)).toMatchObject({ outcome: 'refused' });
  });
});

describe('captureDelete', () => {
  it('deletes what the rule allows, once', () => {
    const view = seen({ value: 'x' });
    expect(captureDelete(collectionOf('custom_field_value'), 'a/b', view)).toEqual({
      outcome: 'write',
      kind: 'delete',
      key: 'a/b',
      fields: {},
      base: 5,
    });
    expect(captureDelete(collectionOf('custom_field_value'), 'a/b', nothing)).toEqual({ outcome: 'unchanged', key: 'a/b' });
    for (const name of ['bill', 'subscription', 'coupon_redemption', 'customer_identifier'])
      expect(captureDelete(collectionOf(name), 'a', view)).toMatchObject({ outcome: 'refused' });
    expect(captureDelete(collectionOf('custom_field_value'), 'ä', view)).toMatchObject({ outcome: 'refused' });
  });
});

it('recordKey makes the key from the key fields alone', () => {
  expect(recordKey(collectionOf('bill'), { till_code: 'T1', bill_client_id: 'b1' })).toEqual({ outcome: 'key', key: 'T1/b1' });
  expect(recordKey(collectionOf('bill'), { till_code: 'T1' })).toMatchObject({ outcome: 'refused' });
  expect(recordKey(collectionOf('bill'), [])).toMatchObject({ outcome: 'refused' });
});
