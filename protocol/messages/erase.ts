import * as z from 'zod';
import { keySchema } from '../catalogue/record.ts';
import { limits } from '../limits.ts';

/**
 * What is asked of the `erase` function, step by step, for one customer. Steps may be repeated; the event of the schedule,
 * once a day, purges what is due and sweeps the bucket.
 */
const userId = keySchema;

export const eraseRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('begin'), userId, reason: z.string().min(3).max(500), by: z.string().min(1).max(100) }),
  z.strictObject({
    op: z.literal('records'),
    userId,
    collection: z.string(),
    bucket: z.int().min(0),
    after: z.string().max(limits.keyBytesMax).nullable(),
    /** `<collection>/<key>` of bills and tasks of theirs that were found before. */
    parents: z.array(z.string()).max(10_000),
  }),
  z.strictObject({ op: z.literal('quarantine'), userId }),
  z.strictObject({ op: z.literal('forget'), userId, feed: z.string() }),
  z.strictObject({ op: z.literal('finish'), userId }),
  z.strictObject({ op: z.literal('status'), userId }),
  z.strictObject({ op: z.literal('sweep') }),
]);
/** What is sent: a step, and the undertaking that it is part of. */
export const eraseCallSchema = z.strictObject({ undertakingId: z.uuid().optional(), step: eraseRequestSchema });
export type EraseRequest = z.infer<typeof eraseRequestSchema>;

const erasureSchema = z.object({
  erasureId: z.string(),
  pseudonym: z.string(),
  requestedAt: z.string(),
  by: z.string(),
  reason: z.string(),
  feeds: z.array(z.object({ feed: z.string(), position: z.int().nullable() })),
  forgottenAt: z.string().nullable(),
  /** When the last object that holds something of theirs is gone from the bucket, at the latest; null: not forgotten yet. */
  objectsGoneBy: z.string().nullable(),
  /** When keys of theirs are gone as well, as tombstones hold them until then. */
  purgeDueAt: z.string().nullable(),
  purgedAt: z.string().nullable(),
});

export const eraseResponseSchemas = {
  /** `collections`: in the order in which to look through them, so that what others belong to is found first; `parents`: what waits of it. */
  begin: erasureSchema.extend({ collections: z.array(z.string()), parents: z.array(z.string()) }),
  records: z.object({
    looked: z.int(),
    deleted: z.int(),
    stripped: z.int(),
    /** Of the records found, for what belongs to them. */
    parents: z.array(z.string()),
    next: z.string().nullable(),
  }),
  /** What waited of the person, among uploads as well. */
  quarantine: z.object({ removed: z.int() }),
  forget: z.object({ position: z.int() }),
  finish: erasureSchema,
  status: z.object({
    erasure: erasureSchema,
    done: z.array(z.string()),
    pending: z.array(z.object({ storeId: z.string(), replicaId: z.string(), feeds: z.array(z.string()) })),
  }),
  sweep: z.object({ purged: z.int(), objects: z.int(), snapshots: z.int() }),
} as const;
