import type { RescopeWork } from '../working-set/rescope-trigger.ts';

/** What is to be looked at. May be doubled and late, never lost: it throws when it was not taken. */
export interface RescopeRequests {
  /** Work of kind `again` comes a minute later. */
  send(work: readonly RescopeWork[]): Promise<void>;
}
