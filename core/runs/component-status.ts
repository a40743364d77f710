import type { ComponentRun, ComponentStatus, FailureReason, RunPhase } from '../../protocol/runs.ts';

/**
 * What becomes of one component of a run, in one direction (INV-44). Every cell stands in the table: a status or an event
 * that is added without its cells does not compile. Terminal statuses take nothing.
 */
export type ComponentEvent =
  | { readonly type: 'BEGIN'; readonly phase: RunPhase }
  /** Begins or goes on; counters only grow. */
  | { readonly type: 'PROGRESS'; readonly phase: RunPhase; readonly done: number; readonly total: number | null }
  | { readonly type: 'PAUSE'; readonly resumeAfter: string | null; readonly reason: FailureReason | null }
  | { readonly type: 'COMPLETE'; readonly changes: number; readonly issues: number }
  | { readonly type: 'FAIL'; readonly reason: FailureReason; readonly retryable: boolean }
  | { readonly type: 'CANCEL' };
export type ComponentEventType = ComponentEvent['type'];

/** One of three, by what it counted. */
type Completion = 'COMPLETION';
/** null: it cannot happen, and nothing changes. */
type Cell = ComponentStatus | Completion | null;

const OVER = { BEGIN: null, PROGRESS: null, PAUSE: null, COMPLETE: null, FAIL: null, CANCEL: null } as const;
const LIVE = {
  BEGIN: 'RUNNING',
  PROGRESS: 'RUNNING',
  PAUSE: 'PAUSED',
  COMPLETE: 'COMPLETION',
  FAIL: 'FAILED',
  CANCEL: 'CANCELLED',
} as const;

export const AFTER: Readonly<Record<ComponentStatus, Readonly<Record<ComponentEventType, Cell>>>> = {
  NOT_USED: OVER,
  NOT_ENABLED: OVER,
  QUEUED: LIVE,
  BLOCKED: LIVE,
  RUNNING: LIVE,
  PAUSED: LIVE,
  COMPLETED: OVER,
  COMPLETED_NO_CHANGES: OVER,
  COMPLETED_WITH_ISSUES: OVER,
  FAILED: OVER,
  CANCELLED: OVER,
};

export function isTerminal(status: ComponentStatus): boolean {
  return AFTER[status] === OVER;
}

/** The component after the event; itself when the event cannot happen to it. */
export function afterEvent(before: ComponentRun, event: ComponentEvent): ComponentRun {
  const cell = AFTER[before.status][event.type];
  if (cell === null) return before;
  const calm = { ...before, blockedBy: null, resumeAfter: null, reason: null, retryable: false };
  switch (event.type) {
    case 'BEGIN':
      return { ...calm, status: 'RUNNING', phase: event.phase };
    case 'PROGRESS':
      return {
        ...calm,
        status: 'RUNNING',
        phase: event.phase,
        done: Math.max(before.done, event.done),
        total: event.total ?? before.total,
      };
    case 'PAUSE':
      return { ...calm, status: 'PAUSED', resumeAfter: event.resumeAfter, reason: event.reason, retryable: true };
    case 'COMPLETE':
      return {
        ...calm,
        status: event.issues > 0 ? 'COMPLETED_WITH_ISSUES' : event.changes > 0 ? 'COMPLETED' : 'COMPLETED_NO_CHANGES',
        phase: null,
        done: Math.max(before.done, event.changes),
        total: Math.max(before.done, event.changes),
        issues: event.issues,
      };
    case 'FAIL':
      return { ...calm, status: 'FAILED', reason: event.reason, retryable: event.retryable };
    case 'CANCEL':
      return { ...calm, status: 'CANCELLED' };
  }
}
