import * as z from 'zod';
import { limits } from './limits.ts';
import { idSchema } from './messages/id.ts';
import { storeSettingsSchema } from './store-settings.ts';

/** Which stores get changed settings first, and for how long before all others do. */
export const canarySchema = z.strictObject({
  stores: z
    .array(idSchema)
    .min(1)
    .max(limits.rolloutStoresMax)
    .refine((stores) => new Set(stores).size === stores.length, 'each store once'),
  /** A night and a day of trade; at most a week, because runs are kept for 30 days and as long before is compared with. */
  hours: z
    .int()
    .min(1)
    .max(24 * 7)
    .default(24),
});
export type Canary = Readonly<z.infer<typeof canarySchema>>;

/** What is counted at the canary stores. */
export const MEASURES = ['failedRuns', 'issues', 'differences'] as const;
export type Measure = (typeof MEASURES)[number];
export const measureTexts: Readonly<Record<Measure, string>> = {
  failedRuns: 'quarters of an hour in which a run failed',
  issues: 'records that came to need a person',
  differences: 'feeds that were found different',
};

const riseSchema = z.object({
  measure: z.enum(MEASURES),
  now: z.int(),
  /** In as long a time before. */
  before: z.int(),
  /** Above it there is a rise. */
  limit: z.int(),
});
export type Rise = Readonly<z.infer<typeof riseSchema>>;

/** Grows with every change, so that of two who change it at once one does. */
const revision = z.int().min(1);
const time = z.string();
const underTrial = {
  revision,
  /** What every store has that is no canary. */
  inForce: storeSettingsSchema,
  candidate: storeSettingsSchema,
  canary: canarySchema,
  /** When canary stores were first told of the candidate: what was before that is what it is compared with. */
  begunAt: time,
  /** When the time began that it is judged by: as above, or when it was resumed. */
  startedAt: time,
};

/** How store settings stand, of the whole organization. */
export const rolloutSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('EVERYWHERE'), revision, inForce: storeSettingsSchema, since: time }),
  /** Canary stores have the candidate. */
  z.object({ state: z.literal('CANARY'), ...underTrial }),
  /** Nobody has the candidate any more. */
  z.object({
    state: z.literal('STOPPED'),
    ...underTrial,
    stoppedAt: time,
    /** null: it stopped by itself. */
    stoppedBy: z.string().nullable(),
    reason: z.string(),
    rises: z.array(riseSchema),
  }),
]);
export type Rollout = Readonly<z.infer<typeof rolloutSchema>>;
export type Trial = Extract<Rollout, { state: 'CANARY' | 'STOPPED' }>;

/** What a canary store is known to have been told. */
export const toldSettingsSchema = z.object({
  /** Of the rollout. */
  revision,
  at: time,
  /** Its first sync that ended well with them; null: none yet. */
  syncedAt: time.nullable(),
});
export type ToldSettings = Readonly<z.infer<typeof toldSettingsSchema>>;

/** How a canary store stands. */
export const canaryStoreSchema = z.object({
  storeId: z.string(),
  /** `SILENT`: not heard of since. `SYNCED`: every replica that was heard of ended a sync well with the candidate. */
  standing: z.enum(['SILENT', 'HEARD', 'SYNCED']),
});
export type CanaryStore = Readonly<z.infer<typeof canaryStoreSchema>>;
