import { collections } from '../../protocol/catalogue/catalogue.ts';
import { COMPONENT_NAMES, type ComponentName } from '../../protocol/catalogue/types.ts';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import { type ComponentRun, type FailureReason, type Run, type RunDirection, type RunState, isOver } from '../../protocol/runs.ts';
import { type ComponentEvent, afterEvent } from './component-status.ts';
import { rollUp } from './roll-up.ts';

const NEVER: Readonly<Record<RunState, boolean>> = {
  RUNNING: false,
  PAUSED: false,
  COMPLETED: false,
  COMPLETED_NO_CHANGES: false,
  COMPLETED_WITH_ISSUES: false,
  FAILED: false,
  CANCELLED: false,
};
const ANY: Readonly<Record<RunState, boolean>> = {
  RUNNING: true,
  PAUSED: true,
  COMPLETED: true,
  COMPLETED_NO_CHANGES: true,
  COMPLETED_WITH_ISSUES: true,
  FAILED: true,
  CANCELLED: true,
};

/**
 * The life of a run, from its start to a state that is never left (INV-44). Which state it has follows from its components and from what
 * ended it; every edge that there may be stands in the table. Times are ISO 8601 and come in.
 */
export const RUN_AFTER: Readonly<Record<RunState, Readonly<Record<RunState, boolean>>>> = {
  RUNNING: ANY,
  PAUSED: ANY,
  COMPLETED: { ...NEVER, COMPLETED: true },
  COMPLETED_NO_CHANGES: { ...NEVER, COMPLETED_NO_CHANGES: true },
  COMPLETED_WITH_ISSUES: { ...NEVER, COMPLETED_WITH_ISSUES: true },
  FAILED: { ...NEVER, FAILED: true },
  CANCELLED: { ...NEVER, CANCELLED: true },
};

export type NewRun = Pick<Run, 'runId' | 'replicaId' | 'kind' | 'trigger' | 'startedAt' | 'commandId' | 'declaredThrough'>;

/** Its components are known when head office has said what this store has. */
export function startRun(run: NewRun): Run {
  return { ...run, state: 'RUNNING', updatedAt: run.startedAt, finishedAt: null, components: [], failure: null };
}

/** What comes before the rest of the store's data: who must not be served, what is on offer, whom it is about. */
const FIRST: readonly ComponentName[] = ['Fraud Users List', 'Voucher Series', 'Customer'];

const GOES_UP: ReadonlySet<ComponentName> = new Set(
  collections.filter(({ direction }) => direction !== 'down').map(({ component }) => component),
);

export interface RunPlan {
  readonly components: PlanResponse['components'];
  /** Of a manual sync; none: all. */
  readonly only?: readonly ComponentName[];
  readonly directions?: readonly RunDirection[];
}

/** Every component once each way it travels, in the order of work. What was planned already stays as it is. */
export function planRun(run: Run, { components, only = [], directions = ['UP', 'DOWN'] }: RunPlan, at: string): Run {
  if (run.components.length > 0 || isOver(run)) return run;
  const chosen = new Set(only.length === 0 ? COMPONENT_NAMES : only);
  const status = new Map(components.map((planned) => [planned.component, planned.status]));
  const ordered = COMPONENT_NAMES.filter((name) => chosen.has(name));
  const blockedBy = FIRST.findLast((name) => chosen.has(name) && status.get(name) === 'ENABLED') ?? null;
  const planned = ordered.flatMap((component) =>
    directions
      .filter((direction) => direction === 'DOWN' || GOES_UP.has(component))
      .map((direction): ComponentRun => {
        const known = status.get(component) ?? 'NOT_USED';
        const waits = direction === 'DOWN' && run.kind === 'fresh' && !FIRST.includes(component) ? blockedBy : null;
        const start = known === 'ENABLED' ? (waits === null ? 'QUEUED' : 'BLOCKED') : known;
        return { ...NEW, component, direction, status: start, blockedBy: start === 'BLOCKED' ? waits : null };
      }),
  );
  return concluded({ ...run, components: planned }, at);
}

const NEW = { phase: null, done: 0, total: null, issues: 0, reason: null, retryable: false, blockedBy: null, resumeAfter: null } as const;

export interface RunEvent {
  readonly component: ComponentName;
  readonly direction: RunDirection;
  readonly event: ComponentEvent;
}

export function applyEvent(run: Run, { component, direction, event }: RunEvent, at: string): Run {
  return each(run, at, (one) => (one.component === component && one.direction === direction ? afterEvent(one, event) : one));
}

/** What has not ended waits; a link that is down is no failure of a run that resumes by itself. */
export function pauseRun(
  run: Run,
  { resumeAfter, code }: { readonly resumeAfter: string | null; readonly code: ErrorCodeName },
  at: string,
): Run {
  const { reason } = failureReason(code);
  const paused = each(run, at, (one) => afterEvent(one, { type: 'PAUSE', resumeAfter, reason }));
  return isOver(paused) ? paused : { ...paused, state: next(run, 'PAUSED') };
}

export function failRun(run: Run, { code, message }: { readonly code: ErrorCodeName; readonly message: string }, at: string): Run {
  if (isOver(run)) return run;
  const { reason, retryable } = failureReason(code);
  const failed = each(run, at, (one) => afterEvent(one, { type: 'FAIL', reason, retryable }));
  return { ...failed, state: next(run, 'FAILED'), finishedAt: at, failure: { reason, code, message: message.slice(0, 500) } };
}

export function cancelRun(run: Run, at: string): Run {
  if (isOver(run)) return run;
  const cancelled = each(run, at, (one) => afterEvent(one, { type: 'CANCEL' }));
  return { ...cancelled, state: next(run, 'CANCELLED'), finishedAt: at };
}

function each(run: Run, at: string, change: (one: ComponentRun) => ComponentRun): Run {
  if (isOver(run)) return run;
  const components = run.components.map(change);
  if (components.every((one, index) => one === run.components[index])) return run;
  return concluded({ ...run, components }, at);
}

function concluded(run: Run, at: string): Run {
  const after = { ...run, state: next(run, rollUp(run.components)), updatedAt: at };
  return { ...after, finishedAt: isOver(after) ? at : null };
}

function next(before: Run, state: RunState): RunState {
  if (!RUN_AFTER[before.state][state]) throw new Error(`a run that is ${before.state} never becomes ${state}`);
  return state;
}

interface Failure {
  readonly reason: FailureReason;
  readonly retryable: boolean;
}

const REASONS: Readonly<Record<ErrorCodeName, Failure>> = {
  INVALID_INPUT: { reason: 'DATA', retryable: false },
  UNKNOWN_COLLECTION: { reason: 'SCHEMA_VERSION', retryable: false },
  COMPONENT_NOT_USED: { reason: 'DATA', retryable: false },
  COMPONENT_NOT_ENABLED: { reason: 'DATA', retryable: false },
  NOT_FOUND: { reason: 'DATA', retryable: false },
  ALREADY_EXISTS: { reason: 'DATA', retryable: false },
  UNAUTHORIZED: { reason: 'AUTH', retryable: false },
  FORBIDDEN: { reason: 'AUTH', retryable: false },
  CLOCK_SKEW: { reason: 'LOCAL_CLOCK', retryable: true },
  REPLAYED: { reason: 'CONNECTIVITY', retryable: true },
  CODE_INVALID: { reason: 'AUTH', retryable: false },
  ENROL_LIMIT: { reason: 'AUTH', retryable: true },
  FORK_LIMIT: { reason: 'AUTH', retryable: true },
  TOO_MANY_REPLICAS: { reason: 'AUTH', retryable: false },
  PROTOCOL_UNSUPPORTED: { reason: 'SCHEMA_VERSION', retryable: false },
  LOOKUP_LIMIT: { reason: 'THROTTLED', retryable: true },
  REDEMPTION_NEEDS_HEAD_OFFICE: { reason: 'DATA', retryable: false },
  OUT_OF_SCOPE: { reason: 'DATA', retryable: true },
  SNAPSHOT_GONE: { reason: 'INTEGRITY', retryable: true },
  INTEGRITY: { reason: 'INTEGRITY', retryable: true },
  STORAGE_FULL: { reason: 'LOCAL_STORAGE', retryable: true },
  FOLDER_NOT_PRIVATE: { reason: 'LOCAL_STORAGE', retryable: false },
  REPLICA_BUSY: { reason: 'LOCAL_STORAGE', retryable: true },
  OUTBOX_GAP: { reason: 'INTEGRITY', retryable: true },
  REPLICA_FORKED: { reason: 'DEVICE_MISMATCH', retryable: true },
  OUTBOX_DAMAGED: { reason: 'LOCAL_STORAGE', retryable: false },
  FRESH_NOT_COMPLETE: { reason: 'DATA', retryable: true },
  NOT_ENROLLED: { reason: 'AUTH', retryable: false },
  NOT_COMPLETE: { reason: 'INTEGRITY', retryable: true },
  CONNECTIVITY: { reason: 'CONNECTIVITY', retryable: true },
  UNAVAILABLE: { reason: 'THROTTLED', retryable: true },
  CONFLICT: { reason: 'SERVER', retryable: true },
  LOCAL_STACK: { reason: 'SERVER', retryable: false },
  AWS_CREDENTIALS: { reason: 'AUTH', retryable: false },
  AWS_ACCOUNT: { reason: 'AUTH', retryable: false },
  NOT_READY: { reason: 'SERVER', retryable: false },
  RULE_BROKEN: { reason: 'SERVER', retryable: false },
  DEPLOYMENT_FAILED: { reason: 'SERVER', retryable: false },
  INTERNAL: { reason: 'SERVER', retryable: true },
};

/** A code without its line does not compile. */
export function failureReason(code: ErrorCodeName): Failure {
  return REASONS[code];
}
