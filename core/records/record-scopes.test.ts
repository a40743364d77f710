import { expect, test } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { recordScopes } from './record-scopes.ts';

const series = collectionOf('coupon_series');

test('the scope is the rule and the record’s own field', () => {
  expect(recordScopes(series, { series_id: 's' }, {})).toEqual({ ok: true, scopes: ['org'] });
  expect(recordScopes(series, { series_id: 's', zone_code: 'north' }, { 'Voucher Series': 'zone' })).toEqual({
    ok: true,
    scopes: ['zone:north'],
  });
  expect(recordScopes(collectionOf('associate'), { store_code: 'S1' }, {})).toEqual({ ok: true, scopes: ['store:S1'] });
});

test('INV-08: a record that does not say whose it is, is refused', () => {
  expect(recordScopes(series, { series_id: 's' }, { 'Voucher Series': 'zone' })).toEqual({
    ok: false,
    issue: { field: 'zone_code', reason: 'is required: this organization keeps coupon_series by zone' },
  });
});
