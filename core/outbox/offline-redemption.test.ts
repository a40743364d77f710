import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offlineRefusal } from './offline-redemption.ts';

const ceilings = { points: { perCustomer: 100, perStore: 250 }, coupons: { perCustomer: 1, perStore: 3 } };
const points = (user_id: string, points_redeemed: string) => ({ fields: { user_id, points_redeemed } });
const coupon = (user_id?: string) => ({ fields: { coupon_id: 'k', ...(user_id === undefined ? {} : { user_id }) } });

describe('offlineRefusal', () => {
  it('says nothing up to the ceiling, and which ceiling above it', () => {
    const ask = (amount: string, undecided: ReturnType<typeof points>[] = []) =>
      offlineRefusal({ collection: 'points_redemption', ...points('1', amount), allowed: ceilings, undecided, series: null });
    expect(ask('100')).toBeNull();
    expect(ask('100.001')).toBe('at most 100 points of a customer are redeemed without head office, and 100.001 would be');
    expect(ask('40', [points('1', '60')])).toBeNull();
    expect(ask('40.5', [points('1', '60')])).toMatch(/100\.5 would be/);
    expect(ask('50', [points('2', '100'), points('3', '100')])).toBeNull();
    expect(ask('51', [points('2', '100'), points('3', '100')])).toBe(
      'at most 250 points are redeemed in a store without head office, and 251 would be',
    );
  });

  it('a coupon whose series says no, and what an organization does not allow, is not redeemed', () => {
    const ask = (user: string | undefined, undecided: ReturnType<typeof coupon>[], more: object = {}) =>
      offlineRefusal({ collection: 'coupon_redemption', ...coupon(user), allowed: ceilings, undecided, series: null, ...more });
    expect(ask('1', [])).toBeNull();
    expect(ask('1', [coupon('1')])).toMatch(/at most 1 coupons of a customer/);
    // Of nobody's: only the store's ceiling.
    expect(ask(undefined, [coupon(), coupon()])).toBeNull();
    expect(ask(undefined, [coupon(), coupon(), coupon()])).toMatch(/at most 3 coupons are redeemed in a store/);
    expect(ask('1', [], { series: { is_offline_redemption: true } })).toBeNull();
    expect(ask('1', [], { series: { is_offline_redemption: false } })).toMatch(/of this series/);
    expect(ask('1', [], { allowed: { ...ceilings, coupons: { perCustomer: 0, perStore: 0 } } })).toMatch(/redeems no coupons/);
  });

  it('INV-47: what is undecided never exceeds a ceiling, whatever is asked for and decided in between', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ user: fc.constantFrom('1', '2', '3'), amount: fc.integer({ min: -5_000, max: 150_000 }) }) },
      { weight: 1, arbitrary: fc.constant('decided' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let undecided: ReturnType<typeof points>[] = [];
        for (const one of steps) {
          if (one === 'decided') undecided = undecided.slice(1);
          else {
            const asked = points(one.user, String(one.amount / 1_000));
            const input = { collection: 'points_redemption', ...asked, allowed: ceilings, undecided, series: null } as const;
            if (offlineRefusal(input) === null) undecided.push(asked);
          }
          const sum = (of: typeof undecided) => of.reduce((total, { fields }) => total + Math.max(0, Number(fields.points_redeemed)), 0);
          expect(sum(undecided)).toBeLessThanOrEqual(250 + 1e-6);
          for (const user of ['1', '2', '3'])
            expect(sum(undecided.filter(({ fields }) => fields.user_id === user))).toBeLessThanOrEqual(100 + 1e-6);
        }
      }),
    );
  });
});
