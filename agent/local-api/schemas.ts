import * as z from 'zod';
import { ENTRY_STATUSES } from '../../core/outbox/entry.ts';
import { FRESHNESS } from '../../core/runs/standing.ts';
import { COMPONENT_NAMES } from '../../protocol/catalogue/types.ts';
import { keySchema } from '../../protocol/catalogue/record.ts';
import { receiptSchema } from '../../protocol/operation.ts';
import { ALL_ATTRIBUTE_STATUSES } from '../../protocol/sync-details/statuses.ts';
import { STANDING_STATES, runSchema } from '../../protocol/runs.ts';

/** What the till sends and gets. The OpenAPI file is made of these. */
const value = z.union([z.string(), z.number(), z.boolean()]);

export const recordPath = z.object({ collection: z.string().min(1).max(60), key: keySchema });
export const collectionPath = recordPath.pick({ collection: true });

export const recordAnswer = z.object({
  collection: z.string(),
  key: z.string(),
  /** Something of it was recorded here and is not in head office's row yet. */
  pending: z.boolean(),
  fields: z.record(z.string(), value),
  /** Where each attribute stands: synced, waiting to go up or to come down, refused, withheld, … */
  attributes: z.record(z.string(), z.enum(ALL_ATTRIBUTE_STATUSES)),
});

/** Fields that are named are set, null takes one away, the others stay. */
export const recordBody = z.record(z.string().max(60), z.union([value, z.null()]));

export const writtenAnswer = z.object({
  /** null: it was so already. */
  opId: z.string().nullable(),
  seq: z.int().nullable(),
  key: z.string(),
  status: z.enum([...ENTRY_STATUSES, 'UNCHANGED']),
});

export const outboxQuery = z.object({
  status: z.enum(ENTRY_STATUSES).optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const outboxAnswer = z.object({
  counts: z.record(z.enum(ENTRY_STATUSES), z.int()),
  entries: z.array(
    z.object({
      id: z.int(),
      seq: z.int(),
      opId: z.string(),
      collection: z.string(),
      key: z.string(),
      kind: z.enum(['put', 'delete']),
      status: z.enum(ENTRY_STATUSES),
      attempts: z.int(),
      capturedAt: z.string(),
      receipt: receiptSchema.nullable(),
    }),
  ),
  next: z.int().nullable(),
});

/** What a till may rely on now: the freshness contract. What else it says is for people. */
export const statusAnswer = z
  .object({
    /** Every component was proved equal to head office once. */
    complete: z.boolean(),
    run: runSchema.nullable(),
    /** `isOther`: head office wants the store to run another version, `wanted`; whoever distributes software gives it to the store. */
    agent: z.object({ version: z.string(), wanted: z.string().nullable(), isOther: z.boolean() }),
    /** How often it syncs by itself, unless whoever installed it said otherwise. */
    syncMinutes: z.int(),
    /** Without head office, and whatever else is wrong: bills are always taken. */
    safe: z.object({ sell: z.boolean(), showPoints: z.boolean(), redeemCoupons: z.boolean(), redeemPoints: z.boolean() }),
    components: z.array(
      z
        .object({
          component: z.enum(COMPONENT_NAMES),
          /** null: not for this store. */
          state: z.enum(STANDING_STATES).nullable(),
          freshness: z.enum(FRESHNESS).nullable(),
          verified: z.boolean(),
          safeOffline: z.boolean(),
          /** Stream time of the newest change it has. */
          asOf: z.string().nullable(),
          pendingUp: z.int(),
          oldestPendingAt: z.string().nullable(),
          issues: z.int(),
        })
        .loose(),
    ),
  })
  .loose();

export const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), remedy: z.string(), details: z.record(z.string(), z.unknown()).optional() }),
});
