import * as z from 'zod';
import { keySchema } from '../catalogue/record.ts';

/**
 * `POST /v1/lookup`: one customer who is not in the store's working set, by id or by an identifier as it is written in
 * main data. The answer is for the till that asked, for a short time; it is no part of the replica.
 *
 * Errors: `NOT_FOUND`, `LOOKUP_LIMIT` (this store has asked for too many in this hour; `retryAfterMs`), `OUT_OF_SCOPE`.
 */
export const IDENTIFIER_TYPES = ['MOBILE', 'EMAIL', 'EXTERNAL_ID', 'CARD'] as const;

export const lookupRequestSchema = z.strictObject({
  protocol: z.int(),
  by: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('user_id'), userId: keySchema.max(200) }),
    z.strictObject({
      kind: z.literal('identifier'),
      type: z.enum(IDENTIFIER_TYPES),
      value: z.string().min(1).max(254),
      source: z.string().min(1).max(60).default('INSTORE'),
      accountId: z.string().min(1).max(60).default('-'),
    }),
  ]),
});
export type LookupRequest = z.infer<typeof lookupRequestSchema>;

const fields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export const lookupResponseSchema = z.object({
  serverTime: z.string(),
  customer: fields,
  /** A summary a program. */
  loyalty: z.array(fields),
  /** Newest first, without lines; `billsMore`: there are older ones. */
  bills: z.array(fields),
  billsMore: z.boolean(),
  /** Until when the store may keep it. */
  expiresAt: z.string(),
});
export type LookupResponse = z.infer<typeof lookupResponseSchema>;
