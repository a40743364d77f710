import * as z from 'zod';

/**
 * How much a store may redeem that head office has not decided about yet: an organization's setting, given to its stores
 * with the plan. `perStore` 0: nothing without head office. What may be lost to double spending is at most `perStore` of
 * every store together.
 */
const ceilings = z
  .strictObject({ perCustomer: z.int().min(0).max(1_000_000), perStore: z.int().min(0).max(100_000_000) })
  .refine(({ perCustomer, perStore }) => perCustomer <= perStore, 'perCustomer is at most perStore');

const NOTHING = { perCustomer: 0, perStore: 0 };

export const offlineRedemptionSchema = z.strictObject({
  points: ceilings.default(NOTHING),
  coupons: ceilings.default(NOTHING),
});
export type OfflineRedemption = z.infer<typeof offlineRedemptionSchema>;

export const NO_OFFLINE_REDEMPTION: OfflineRedemption = { points: NOTHING, coupons: NOTHING };
