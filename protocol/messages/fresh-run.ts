import * as z from 'zod';
import { idSchema } from './id.ts';

/**
 * What the workflow `fresh-sync` asks of the function `fresh-run`, and what it goes on with.
 *
 * One execution of the workflow per fresh run; it is named after the run, so that a run has one workflow however often it is
 * asked for. `check` counts the hours: how many checks there were before, also in executions that this one continues.
 */
export const freshWorkflowInputSchema = z.strictObject({ storeId: idSchema, runId: z.uuid(), check: z.int().min(0) });
export type FreshWorkflowInput = z.infer<typeof freshWorkflowInputSchema>;

export const freshRunRequestSchema = freshWorkflowInputSchema.extend({ step: z.enum(['prepare', 'check', 'redrive']) });
export type FreshRunRequest = z.infer<typeof freshRunRequestSchema>;

/** `SUPERSEDED`: the store began another fresh run. Anything the workflow does not know it takes for `INCOMPLETE`. */
export const FRESH_OUTCOMES = ['COMPLETE', 'INCOMPLETE', 'CANCELLED', 'SUPERSEDED'] as const;
export type FreshOutcome = (typeof FRESH_OUTCOMES)[number];

/** The workflow reads `outcome` only; whatever else a step answers stands in the execution's history for people. */
export interface FreshRunAnswer {
  readonly outcome: FreshOutcome;
}

/** The state that waits between two checks, by name: the local stack shortens it. */
export const WAIT_AN_HOUR = 'Wait an hour';
