import * as z from 'zod';
import { limits } from '../limits.ts';
import { uploadProgressSchema } from '../operation.ts';
import { storeSettingsSchema } from '../store-settings.ts';
import { COMPONENT_NAMES, EDITIONS } from '../catalogue/types.ts';
import type { FeedName } from '../feed.ts';

/**
 * `POST /v1/plan`: one call per round. The replica says where it stands; head office says what to do for every feed
 * in the replica's scope, with everything inline that a small delta needs. The scope comes from the credential only:
 * a feed the replica names but may not read is answered with `leave`.
 */
const feed = z.custom<FeedName>(
  (value) => typeof value === 'string' && /^[A-Za-z ]+@(org|zone:.+|store:.+)$/.test(value) && value.length <= 300,
);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const position = z.int().min(0);

export const planRequestSchema = z.strictObject({
  protocol: z.int(),
  agentVersion: z.string().max(40),
  /** Where the replica stands. Feeds that are left out count as never synced. */
  feeds: z
    .array(
      z.strictObject({
        feed,
        generation: z.string().max(64),
        position,
        /** `snapshot`: name the newest snapshot at or past the cursor even if the tail would do (verify, repair). */
        want: z.enum(['tail', 'snapshot']).default('tail'),
      }),
    )
    .max(100)
    .default([]),
  /** Say how far head office has what this replica sent. Since version 2. */
  withUploads: z.boolean().optional(),
  /** Chunks of a snapshot the replica is working on, for which it needs URLs. */
  chunks: z.strictObject({ feed, sha256: z.array(sha256).min(1).max(limits.planChunkUrlsMax) }).optional(),
});
export type PlanRequest = z.infer<typeof planRequestSchema>;

const pageSchema = z.object({
  position,
  /** Packed sections, base64. */
  body: z.string(),
});

const segmentSchema = z.object({
  /** May be applied by a cursor at or past `after` and before `through`; the cursor is at `through` then. */
  after: position,
  through: position,
  sha256,
  bytes: z.int().min(0),
  rawBytes: z.int().min(0),
  asOf: z.string(),
  url: z.string(),
});

const snapshotSchema = z.object({
  position,
  root: sha256,
  rows: z.int().min(0),
  bytes: z.int().min(0),
  manifestSha256: sha256,
  manifestUrl: z.string(),
});

export const feedPlanSchema = z.discriminatedUnion('action', [
  /**
   * Apply these segments, then these pages, in order (none: up to date with `head`). `more`: ask again after that.
   * `asOf`: stream time of the newest change in the feed. `passes`: when the cursor stands at this snapshot's position, compare with it.
   */
  z.object({
    feed,
    action: z.literal('tail'),
    generation: z.string(),
    head: position,
    asOf: z.string().nullable(),
    segments: z.array(segmentSchema).default([]),
    pages: z.array(pageSchema),
    passes: snapshotSchema.nullable().default(null),
    more: z.boolean(),
  }),
  /** Reconcile against this snapshot, then ask again. */
  z.object({
    feed,
    action: z.literal('reconcile'),
    generation: z.string(),
    head: position,
    asOf: z.string().nullable(),
    snapshot: snapshotSchema,
  }),
  /** `NO_SNAPSHOT`: none fits yet, one is being made. `NO_SLOT`: as many stores as may load everything do so now. */
  z.object({
    feed,
    action: z.literal('wait'),
    generation: z.string(),
    head: position,
    retryAfterMs: z.int().min(0),
    reason: z.enum(['NO_SNAPSHOT', 'NO_SLOT']).default('NO_SNAPSHOT'),
  }),
  /** Not in this replica's scope: remove what it holds of it. */
  z.object({ feed, action: z.literal('leave') }),
]);
export type FeedPlan = z.infer<typeof feedPlanSchema>;

export const planResponseSchema = z.object({
  protocol: z.int(),
  serverTime: z.string(),
  store: z.object({
    storeId: z.string(),
    name: z.string(),
    edition: z.enum(EDITIONS),
    zone: z.string().nullable(),
    timeZone: z.string(),
    currency: z.string(),
  }),
  /** All 14, in order of work. */
  components: z.array(
    z.object({ component: z.enum(COMPONENT_NAMES), status: z.enum(['ENABLED', 'NOT_USED', 'NOT_ENABLED']), feeds: z.array(feed) }),
  ),
  /** Collections whose kind of scope is not the catalogue's, because the organization chose so. */
  scopes: z.record(z.string(), z.enum(['org', 'zone', 'store'])).default({}),
  /** `collection.field` names that this organization does not share with stores: shown as withheld, never as empty. */
  withheld: z.array(z.string()),
  /** An agent that does not know one of them leaves it alone. */
  ...storeSettingsSchema.shape,
  feeds: z.array(feedPlanSchema),
  chunkUrls: z.array(z.object({ sha256, url: z.string() })),
  /** How far head office has what the replica sent; less than it said before if it was restored. If it was asked. */
  uploads: uploadProgressSchema.optional(),
  /** The replica's key is old, or somebody wants it to have another one. */
  newKey: z.boolean().optional(),
});
export type PlanResponse = z.infer<typeof planResponseSchema>;
