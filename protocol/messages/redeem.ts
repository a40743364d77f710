import * as z from 'zod';

/**
 * `POST /v1/redeem`: head office decides at once about points or a coupon that a customer wants to spend now. What is
 * approved is spent when the answer is given; what is declined changed nothing. A till that got no answer asks again with
 * the same record: it is spent once, whichever way and however often it is asked for.
 */
export const REDEMPTIONS = ['points_redemption', 'coupon_redemption'] as const;
export type RedemptionCollection = (typeof REDEMPTIONS)[number];

export const isRedemption = (collection: string): collection is RedemptionCollection =>
  (REDEMPTIONS as readonly string[]).includes(collection);

export const redeemRequestSchema = z.strictObject({
  protocol: z.int(),
  collection: z.enum(REDEMPTIONS),
  fields: z.record(z.string().max(60), z.union([z.string(), z.number(), z.boolean()])),
});
export type RedeemRequest = z.infer<typeof redeemRequestSchema>;

export const redeemResponseSchema = z.object({
  serverTime: z.string(),
  key: z.string(),
  outcome: z.enum(['APPROVED', 'DECLINED']),
  /** Why it was declined, in words for the till; null: it was approved. */
  reason: z.string().nullable(),
  /** It was approved before. */
  isRepeat: z.boolean(),
  /** Points that are left, as text; null for coupons and what was declined. */
  balanceAfter: z.string().nullable(),
});
export type RedeemResponse = z.infer<typeof redeemResponseSchema>;
