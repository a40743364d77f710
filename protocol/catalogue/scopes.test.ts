import { expect, test } from 'vitest';
import { organizationSchema } from '../organization.ts';
import { collectionOf, components } from './catalogue.ts';
import { changedKinds, scopeKinds, scopeRuleOf, scopeSettingIssues } from './scopes.ts';

const component = (name: string) => components.find((one) => one.name === name)!;
const organization = (scopes: object) =>
  organizationSchema.safeParse({
    name: 'demo',
    displayName: 'Demo',
    region: 'eu-west-2',
    timeZone: 'Europe/London',
    currency: 'GBP',
    scopes,
  });

test('without a choice the catalogue holds, and stores are told nothing', () => {
  expect(scopeRuleOf(collectionOf('coupon'), {})).toEqual({ by: 'org' });
  expect(changedKinds({})).toEqual({});
  expect(changedKinds({ 'Voucher Series': 'org' })).toEqual({});
});

test('a choice holds for the collections of its component that allow it', () => {
  const settings = { 'Voucher Series': 'zone' } as const;
  expect(scopeRuleOf(collectionOf('coupon_series'), settings)).toEqual({ by: 'zone', field: 'zone_code' });
  expect(scopeKinds(component('Voucher Series'), settings)).toEqual(['zone']);
  expect(scopeKinds(component('Customer'), settings)).toEqual(['org']);
  expect(changedKinds(settings)).toEqual({ coupon_series: 'zone', coupon: 'zone', coupon_redemption: 'zone' });
});

test('what the catalogue does not allow is refused with what it does', () => {
  expect(scopeSettingIssues({ 'Voucher Series': 'store', Stores: 'zone' })).toEqual([
    { component: 'Voucher Series', reason: 'may be org or zone, not store' },
    { component: 'Stores', reason: 'there is no choice for this component' },
  ]);
  expect(organization({ 'Voucher Series': 'zone' }).success).toBe(true);
  const refused = organization({ 'Voucher Series': 'store' });
  expect(refused.error?.issues).toMatchObject([{ path: ['scopes', 'Voucher Series'], message: 'may be org or zone, not store' }]);
  for (const wrong of [{ Vouchers: 'zone' }, { 'Voucher Series': 'town' }, []]) expect(organization(wrong).success).toBe(false);
});
