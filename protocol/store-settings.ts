import * as z from 'zod';
import { NO_OFFLINE_REDEMPTION, offlineRedemptionSchema } from './offline-redemption.ts';

/** Minutes between two syncs that an agent can keep: each divides the hour. */
export const SYNC_MINUTES = [1, 2, 3, 5, 10, 15, 20, 30, 60] as const;
export type SyncMinutes = (typeof SYNC_MINUTES)[number];
export const SYNC_MINUTES_DEFAULT = 15;

/** What of an organization's settings changes what stores do. It reaches them by rollout (docs/decisions/0037), and is told in every plan. */
export const storeSettingsSchema = z.object({
  /** How many points and coupons stores may redeem before head office has decided; nothing if it is not set (docs/decisions/0017). */
  offlineRedemption: offlineRedemptionSchema.default(NO_OFFLINE_REDEMPTION),
  /** How often a store's agent syncs by itself, unless whoever installed it said otherwise. */
  syncMinutes: z.literal(SYNC_MINUTES).default(SYNC_MINUTES_DEFAULT),
  /**
   * The version that stores should run, and with it the schema of their replicas. Nothing is installed: it is shown where a store has
   * another one, to whatever distributes software to tills.
   */
  agentVersion: z
    .string()
    .regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'a version such as 1.4.0')
    .max(40)
    .optional(),
});
export type StoreSettings = Readonly<z.infer<typeof storeSettingsSchema>>;

/** Of an organization, or of a plan: without what else they say. */
export function storeSettingsOf({ offlineRedemption, syncMinutes, agentVersion }: StoreSettings): StoreSettings {
  return { offlineRedemption, syncMinutes, ...(agentVersion === undefined ? {} : { agentVersion }) };
}

export const DEFAULT_STORE_SETTINGS: StoreSettings = storeSettingsSchema.parse({});
