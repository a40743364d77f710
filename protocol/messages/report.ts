import * as z from 'zod';
import { COMPONENT_NAMES } from '../catalogue/types.ts';
import type { FeedName } from '../feed.ts';

/**
 * `POST /v1/report`: the replica shows the root digest of its own rows at a snapshot position. Head office compares it
 * with its own and answers with certificates; it never takes the replica's word that something is equal (INV-09).
 */
const feed = z.custom<FeedName>((value) => typeof value === 'string' && value.includes('@') && value.length <= 300);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const reportRequestSchema = z.strictObject({
  protocol: z.int(),
  /** The first load of this replica is over: another store may have its slot. */
  loaded: z.boolean().optional(),
  feeds: z
    .array(z.strictObject({ feed, generation: z.string().max(64), position: z.int().min(0), rows: z.int().min(0), root: sha256 }))
    .min(1)
    .max(100),
});
export type ReportRequest = z.infer<typeof reportRequestSchema>;

export const certificateSchema = z.object({
  storeId: z.string(),
  replicaId: z.string(),
  component: z.enum(COMPONENT_NAMES),
  feed,
  generation: z.string(),
  position: z.int().min(0),
  rows: z.int().min(0),
  digest: sha256,
  issuedAt: z.string(),
});
export type Certificate = z.infer<typeof certificateSchema>;

export const reportResponseSchema = z.object({
  serverTime: z.string(),
  certificates: z.array(certificateSchema),
  refused: z.array(z.object({ feed, reason: z.enum(['DIFFERENT', 'SNAPSHOT_GONE', 'OUT_OF_SCOPE']) })),
});
export type ReportResponse = z.infer<typeof reportResponseSchema>;
