import { expect, test } from 'vitest';
import type { Fields } from '../../protocol/catalogue/record.ts';
import { seriesRefusal } from './series-rules.ts';

const redemption: Fields = {
  redemption_time: '2026-11-23T23:30:00Z',
  redemption_zone: 'Europe/Berlin',
  bill_amount: '20',
  till_code: 'T1',
};
const refusal = (series: Fields, more: Fields = {}) => seriesRefusal(series, { ...redemption, ...more }, { storeId: 'S1' });

test.each<[string, Fields, string | null]>([
  ['no rules', {}, null],
  ['the last day is today, where the till stands', { valid_till: '2026-11-24' }, null],
  ['the last day was yesterday there', { valid_till: '2026-11-23' }, 'the series has ended'],
  ['from tomorrow on', { redemption_valid_from: '2026-11-25' }, 'coupons of the series are not redeemed yet'],
  ['from today on', { redemption_valid_from: '2026-11-24' }, null],
  ['a bill that is large enough', { min_bill_amount: '20' }, null],
  ['a bill that is too small', { min_bill_amount: '20.01' }, 'the bill is too small for the coupon'],
  ['a bill that is too large', { max_bill_amount: '9.99' }, 'the bill is too large for the coupon'],
  ['this store', { redeem_at: '{"stores":["S0","S1"]}' }, null],
  ['this till', { redeem_at: '{"stores":["S0"],"tills":["T1"]}' }, null],
  ['other stores', { redeem_at: '{"stores":["S0"],"zones":[]}' }, 'coupons of the series are not redeemed in this store'],
  ['zones, which nobody knows here', { redeem_at: '{"stores":["S0"],"zones":["north"]}' }, null],
])('%s', (_, series, expected) => {
  expect(refusal(series)).toBe(expected);
});

test('a till that does not say where it stands has the day that is earliest, and one without an amount no limit of it', () => {
  const { redemption_zone: _, bill_amount: __, ...bare } = redemption;
  expect(seriesRefusal({ valid_till: '2026-11-23', min_bill_amount: '99' }, bare, { storeId: 'S1' })).toBeNull();
});
