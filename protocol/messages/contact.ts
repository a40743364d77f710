import * as z from 'zod';
import type { FeedName } from '../feed.ts';
import { commandReportSchema, commandSchema, runSchema } from '../runs.ts';

/**
 * `POST /v1/contact`: a running agent comes by every minute, and while it works every few seconds. It says how its run
 * stands and what became of commands; it hears what head office wants. Saying the same twice is harmless.
 */
export const contactRequestSchema = z.strictObject({
  protocol: z.int(),
  agentVersion: z.string().max(40),
  /** The run under way, or the last one; null: there was none, or head office knows it as it is. */
  run: runSchema.nullable(),
  commands: z.array(commandReportSchema).max(50),
});
export type ContactRequest = z.infer<typeof contactRequestSchema>;

const feed = z.custom<FeedName>((value) => typeof value === 'string' && value.includes('@') && value.length <= 300);

/** How head office sees the fresh run of a replica, by its own check. */
export const freshStandingSchema = z.object({
  runId: z.uuid(),
  complete: z.boolean(),
  /** In words. */
  missing: z.array(z.string()),
  /** The replica has proved these feeds neither in this run nor since: prove them, whatever it thinks it has proved. */
  prove: z.array(feed),
});
export type FreshStanding = z.infer<typeof freshStandingSchema>;

export const contactResponseSchema = z.object({
  serverTime: z.string(),
  /** Those that are not over, oldest first. */
  commands: z.array(commandSchema),
  /** Somebody stopped this run. */
  cancelRun: z.uuid().nullable(),
  /** null: it never began one. */
  fresh: freshStandingSchema.nullable(),
});
export type ContactResponse = z.infer<typeof contactResponseSchema>;
