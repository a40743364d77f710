import * as z from 'zod';
import { limits } from '../limits.ts';

/**
 * What the command line asks of the `rebuild` function: one step of bounded size, and where the next one begins.
 *
 * `compare` holds one range of a feed's newest snapshot against main data. `re-emit` sends records of main data through
 * the stream again, those that changed at or after `since`. With `dryRun` a step only counts.
 */
const cursor = z.strictObject({ collection: z.string(), key: z.string() });

export const rebuildRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('compare'), feed: z.string(), from: cursor.nullable(), dryRun: z.boolean() }),
  z.strictObject({
    op: z.literal('re-emit'),
    collection: z.string(),
    bucket: z.int().min(0),
    after: z.string().max(limits.keyBytesMax).nullable(),
    /** Milliseconds. 0: all records. */
    since: z.int().min(0),
    dryRun: z.boolean(),
  }),
]);
/** What is sent: a step, and the undertaking that it is part of unless it only counts. */
export const rebuildCallSchema = z.strictObject({ undertakingId: z.uuid().optional(), step: rebuildRequestSchema });
export type RebuildRequest = z.infer<typeof rebuildRequestSchema>;

const counts = {
  looked: z.int(),
  /** Records sent through the stream again. */
  raised: z.int(),
  /** Rows that main data does not have in this scope, taken out of the feed. */
  removed: z.int(),
  /** Changed so lately that the stream may still bring them. */
  onTheirWay: z.int(),
  /** Items of main data that are no records. */
  unreadable: z.int(),
};

export const rebuildResponseSchemas = {
  compare: z.object({ ...counts, next: cursor.nullable() }),
  're-emit': z.object({ ...counts, next: z.string().nullable() }),
} as const;
export type RebuildCounts = Omit<z.infer<(typeof rebuildResponseSchemas)['compare']>, 'next'>;
