import { v7 } from 'uuid';
import * as z from 'zod';
import type { Clock, Ids } from '../core/ports/clock.ts';
import { type Organization, organizationSchema } from '../protocol/organization.ts';

/** The function's environment, validated once at cold start, and the real clock and ids. */
const environmentSchema = z.object({
  RECORDS_TABLE: z.string().min(1),
  FEEDS_TABLE: z.string().min(1),
  STORES_TABLE: z.string().min(1),
  SNAPSHOTS_BUCKET: z.string().min(1),
  COMPACTION_QUEUE_URL: z.string().min(1),
  ORGANIZATION: z.string().min(2),
});
type Environment = z.infer<typeof environmentSchema>;

export function environment<Name extends keyof Environment>(...names: Name[]): Pick<Environment, Name> {
  const shape = environmentSchema.pick(Object.fromEntries(names.map((name) => [name, true])) as { [key in Name]: true });
  return shape.parse(process.env) as unknown as Pick<Environment, Name>;
}

export function organization(): Organization {
  return organizationSchema.parse(JSON.parse(environment('ORGANIZATION').ORGANIZATION));
}

export const systemClock: Clock = { now: () => Date.now() };
export const systemIds: Ids = { next: () => v7() };
