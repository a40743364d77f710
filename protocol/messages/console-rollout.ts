import * as z from 'zod';
import { canaryStoreSchema, rolloutSchema } from '../rollout.ts';
import { storeSettingsSchema } from '../store-settings.ts';

/** How changed store settings are rolled out, and what a person decides about it. */
const decided = { reason: z.string().min(3).max(500), by: z.string().min(1).max(100).optional() };

export const rolloutRequests = [
  z.strictObject({ op: z.literal('rollout.status') }),
  /** Canary stores get back what is in force, until other settings are deployed or it is resumed. */
  z.strictObject({ op: z.literal('rollout.stop'), ...decided }),
  /** What was stopped is tried again, from now on. */
  z.strictObject({ op: z.literal('rollout.resume'), ...decided }),
  /** The candidate goes to every store at once, whatever canary stores say. */
  z.strictObject({ op: z.literal('rollout.finish'), ...decided }),
] as const;

const counts = z.object({ failedRuns: z.int(), issues: z.int(), differences: z.int() });
const rolloutAnswer = z.object({ rollout: rolloutSchema });

export const rolloutResponses = {
  'rollout.status': z.object({
    deployed: storeSettingsSchema,
    /** Deployed, and not looked at yet: that takes minutes. */
    isNew: z.boolean(),
    /** null: nothing was ever decided, and every store has what is deployed. */
    rollout: rolloutSchema.nullable(),
    /** The canary stores of what is on trial, in as long a time before and now. */
    stores: z.array(canaryStoreSchema.extend({ before: counts, now: counts })),
    /** In words, what is lacking before it goes everywhere. */
    waitsFor: z.array(z.string()),
  }),
  'rollout.stop': rolloutAnswer,
  'rollout.resume': rolloutAnswer,
  'rollout.finish': rolloutAnswer,
} as const;
