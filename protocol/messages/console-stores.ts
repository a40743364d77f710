import * as z from 'zod';
import { EDITIONS } from '../catalogue/types.ts';
import { idSchema } from './id.ts';

/** A store as the console shows it, and who may speak for it. */
export const storeSchema = z.object({
  storeId: z.string(),
  name: z.string(),
  edition: z.enum(EDITIONS),
  zone: z.string().nullable(),
  timeZone: z.string(),
  currency: z.string(),
  createdAt: z.string(),
});

/** What of a store head office has and has not done with. */
const waitingSchema = z.object({
  /** Stored and not applied. */
  replicas: z.array(z.object({ replicaId: z.string(), operations: z.int() })),
  /** For somebody to decide. */
  exceptions: z.array(z.object({ opId: z.string(), status: z.string(), collection: z.string() })),
});
export type Waiting = z.infer<typeof waitingSchema>;

/** null: not measured yet. */
export const clockSchema = z.object({ skewMs: z.number(), isOff: z.boolean(), remedy: z.string().nullable() }).nullable();

export const listedStoreSchema = storeSchema.extend({
  closed: z.object({ at: z.string(), reason: z.string() }).optional(),
  replicas: z.array(
    z.object({
      replicaId: z.string(),
      status: z.string(),
      enrolledAt: z.string(),
      heardAt: z.string().optional(),
      agentVersion: z.string().optional(),
      /** The version that it should run; `isOther`: it runs another one, as far as is known. */
      agent: z.object({ wanted: z.string().nullable(), isOther: z.boolean() }),
      clock: clockSchema,
      /** Since when it has the key that it signs with. */
      keySince: z.string(),
      /** Of how far behind it may be and still get what changed only. */
      horizon: z.object({ percent: z.int(), level: z.enum(['FINE', 'HALF', 'NEAR', 'BEYOND']) }),
    }),
  ),
  certificates: z.array(
    z.object({ component: z.string(), feed: z.string(), position: z.int(), rows: z.int(), digest: z.string(), issuedAt: z.string() }),
  ),
});

export const storeIdentityRequests = [
  z.strictObject({
    /**
     * Refused from the next request on, for good, and nothing of it is applied any more. What it had sent stays; what it has not is not taken
     * any more. Refused while operations of it wait, or where a copy that was not named goes with it, unless it is forced.
     */
    op: z.literal('store.revoke'),
    storeId: idSchema,
    /** None: every replica of the store. */
    replicaId: z.string().max(120).optional(),
    /** What came of its disk stays. */
    only: z.boolean().default(false),
    force: z.boolean().default(false),
    reason: z.string().min(3).max(500),
    by: z.string().min(1).max(100),
  }),
  z.strictObject({
    /** A store closes: every replica is retired, every code void. Refused while operations of it wait, unless it is forced. */
    op: z.literal('store.decommission'),
    storeId: idSchema,
    reason: z.string().min(3).max(500),
    force: z.boolean().default(false),
    by: z.string().min(1).max(100),
  }),
  z.strictObject({
    /** Its agent makes itself another key at its next sync. */
    op: z.literal('store.rotate-key'),
    storeId: idSchema,
    /** None: every active replica of the store. */
    replicaId: z.string().max(120).optional(),
    by: z.string().min(1).max(100),
  }),
  z.strictObject({ op: z.literal('store.show'), storeId: idSchema }),
] as const;

export const storeIdentityResponses = {
  'store.decommission': z.object({ storeId: z.string(), at: z.string(), waiting: waitingSchema, retired: z.array(z.string()) }),
  /** `waiting`: what is kept and never applied by itself. */
  'store.revoke': z.object({ storeId: z.string(), revoked: z.array(z.string()), waiting: waitingSchema }),
  'store.rotate-key': z.object({ storeId: z.string(), asked: z.array(z.string()) }),
  'store.show': z.object({ store: listedStoreSchema }),
} as const;
