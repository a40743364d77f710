import * as z from 'zod';

/**
 * Work on what many stores hold, done in many steps by the command line: an erasure, a rebuild. It is begun by somebody, with a
 * reason; where the organization says so somebody else has to approve it before a step is taken.
 */
export const UNDERTAKING_KINDS = ['erase', 'rebuild'] as const;
export type UndertakingKind = (typeof UNDERTAKING_KINDS)[number];

/** `EXPIRED` is never stored: it is what time makes of the others. */
export const UNDERTAKING_STATES = ['WAITING', 'APPROVED', 'REJECTED', 'STARTED', 'DONE', 'EXPIRED'] as const;

/** `subject`: who a name belongs to for certain, as names change. */
const personSchema = z.object({ name: z.string(), subject: z.string() });

export const undertakingSchema = z.object({
  undertakingId: z.uuid(),
  kind: z.enum(UNDERTAKING_KINDS),
  /** The component of a rebuild; the sha256 of the customer's id of an erasure. */
  subject: z.string(),
  /** That it reaches, at most. */
  stores: z.int(),
  reason: z.string(),
  askedBy: personSchema,
  askedAt: z.string(),
  state: z.enum(UNDERTAKING_STATES),
  /** Who approved or rejected it; null: nobody had to, or has. */
  decidedBy: personSchema.nullable(),
  decidedAt: z.string().nullable(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
});
export type Undertaking = Readonly<z.infer<typeof undertakingSchema>>;
