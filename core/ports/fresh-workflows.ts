import type { FreshWorkflowInput } from '../../protocol/messages/fresh-run.ts';

/** The workflow that looks after a fresh run until it is complete. */
export interface FreshWorkflows {
  /** A run has one workflow, however often it is started: it is named after the run, and one that is over is not started again. */
  start(run: Omit<FreshWorkflowInput, 'check'>): Promise<void>;
}
