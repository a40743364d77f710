import * as z from 'zod';
import { COMPONENT_NAMES } from './catalogue/types.ts';

/**
 * A sync run as people see it (domain page, section 6.2): what a store does, component by component, each way. The agent
 * makes it and reports it; head office keeps it, and says of a fresh run by its own check when it is complete.
 */
export const RUN_KINDS = ['fresh', 'delta', 'manual'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

/** What made it begin: a user logged on, the agent started, its schedule, head office's command, or the store's own Sync window. */
export const RUN_TRIGGERS = ['LOGON', 'START', 'SCHEDULE', 'COMMAND', 'STORE'] as const;
export type RunTrigger = (typeof RUN_TRIGGERS)[number];

export const RUN_DIRECTIONS = ['UP', 'DOWN'] as const;
export type RunDirection = (typeof RUN_DIRECTIONS)[number];

/** Exactly one for each component and direction of a run. */
export const COMPONENT_STATUSES = [
  'NOT_USED',
  'NOT_ENABLED',
  'QUEUED',
  'BLOCKED',
  'RUNNING',
  'PAUSED',
  'COMPLETED',
  'COMPLETED_NO_CHANGES',
  'COMPLETED_WITH_ISSUES',
  'FAILED',
  'CANCELLED',
] as const;
export type ComponentStatus = (typeof COMPONENT_STATUSES)[number];

export const RUN_PHASES = ['SNAPSHOT', 'UPLOAD', 'DOWNLOAD', 'APPLY', 'VERIFY'] as const;
export type RunPhase = (typeof RUN_PHASES)[number];

export const FAILURE_REASONS = [
  'CONNECTIVITY',
  'AUTH',
  'DEVICE_MISMATCH',
  'THROTTLED',
  'SERVER',
  'LOCAL_STORAGE',
  'LOCAL_CLOCK',
  'SCHEMA_VERSION',
  'INTEGRITY',
  'DATA',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

export const RUN_STATES = [
  'RUNNING',
  'PAUSED',
  'COMPLETED',
  'COMPLETED_NO_CHANGES',
  'COMPLETED_WITH_ISSUES',
  'FAILED',
  'CANCELLED',
] as const;
export type RunState = (typeof RUN_STATES)[number];

const TERMINAL_RUN: ReadonlySet<RunState> = new Set<RunState>([
  'COMPLETED',
  'COMPLETED_NO_CHANGES',
  'COMPLETED_WITH_ISSUES',
  'FAILED',
  'CANCELLED',
]);

export function isOver({ state }: Pick<Run, 'state'>): boolean {
  return TERMINAL_RUN.has(state);
}

/** Where a component stands, whatever run there was. */
export const STANDING_STATES = ['NEVER_SYNCED', 'INITIALISING', 'IN_SYNC', 'BEHIND', 'DEGRADED', 'RESYNC_REQUIRED'] as const;
export type StandingState = (typeof STANDING_STATES)[number];

const time = z.string().max(40);
const count = z.int().min(0);

export const componentRunSchema = z.strictObject({
  component: z.enum(COMPONENT_NAMES),
  direction: z.enum(RUN_DIRECTIONS),
  status: z.enum(COMPONENT_STATUSES),
  phase: z.enum(RUN_PHASES).nullable(),
  /** Rows or operations. */
  done: count,
  /** null: not known yet. */
  total: count.nullable(),
  /** Open exceptions of this component. */
  issues: count,
  reason: z.enum(FAILURE_REASONS).nullable(),
  /** It will be tried again without anybody's help. */
  retryable: z.boolean(),
  blockedBy: z.enum(COMPONENT_NAMES).nullable(),
  resumeAfter: time.nullable(),
});
export type ComponentRun = Readonly<z.infer<typeof componentRunSchema>>;

export const runSchema = z.strictObject({
  runId: z.uuid(),
  replicaId: z.string().max(120),
  kind: z.enum(RUN_KINDS),
  trigger: z.enum(RUN_TRIGGERS),
  state: z.enum(RUN_STATES),
  startedAt: time,
  updatedAt: time,
  finishedAt: time.nullable(),
  /** The command of head office that it carries out. */
  commandId: z.uuid().nullable(),
  /** The last number of the outbox when the run began: what has to be applied before a fresh run is complete. */
  declaredThrough: count,
  /** Empty until head office has said what this store has. */
  components: z.array(componentRunSchema).max(COMPONENT_NAMES.length * RUN_DIRECTIONS.length),
  failure: z.strictObject({ reason: z.enum(FAILURE_REASONS), code: z.string().max(40), message: z.string().max(500) }).nullable(),
});
export type Run = Readonly<z.infer<typeof runSchema>>;

/** `repair`: verify, then only what differs. `resend`: again from the snapshot. `re-upload`: what was recorded here, again. */
export const COMMAND_KINDS = ['repair', 'resend', 're-upload'] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

export const COMMAND_STATES = ['PENDING', 'DELIVERED', 'RUNNING', 'DONE', 'FAILED', 'CANCELLED', 'EXPIRED'] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

/** What a manual sync would do, or did. */
export const manualResultSchema = z.strictObject({
  components: z
    .array(
      z.strictObject({
        component: z.enum(COMPONENT_NAMES),
        add: count,
        change: count,
        remove: count,
        /** Recorded operations that are sent again. */
        resent: count,
      }),
    )
    .max(COMPONENT_NAMES.length),
  /** Operations that head office does not have yet. They are never overwritten; they go up as they are. */
  unsent: count,
  /** Over the network: down, or what a re-upload sends, as JSON. */
  bytes: count,
  seconds: z.number().min(0),
  costUsd: z.number().min(0),
});
export type ManualResult = Readonly<z.infer<typeof manualResultSchema>>;

export const commandSchema = z.strictObject({
  commandId: z.uuid(),
  storeId: z.string().max(64),
  replicaId: z.string().max(120),
  kind: z.enum(COMMAND_KINDS),
  /** None named: all. */
  components: z.array(z.enum(COMPONENT_NAMES)),
  /** Says what it would do, and does nothing. */
  preview: z.boolean(),
  /** What is under way is stopped; otherwise it waits. */
  takeOver: z.boolean(),
  /** Why it is done although nothing failed. */
  reason: z.string().min(3).max(500).nullable(),
  by: z.string().min(1).max(100),
  state: z.enum(COMMAND_STATES),
  createdAt: time,
  expiresAt: time,
  deliveredAt: time.nullable(),
  finishedAt: time.nullable(),
  result: manualResultSchema.nullable(),
  failure: z.strictObject({ code: z.string().max(40), message: z.string().max(500) }).nullable(),
});
export type Command = Readonly<z.infer<typeof commandSchema>>;

export function isCommandOver({ state }: { readonly state: CommandState }): boolean {
  return state !== 'PENDING' && state !== 'DELIVERED' && state !== 'RUNNING';
}

/** What an agent says of a command. */
export const commandReportSchema = commandSchema
  .pick({ commandId: true, result: true, failure: true })
  .extend({ state: z.enum(['RUNNING', 'DONE', 'FAILED', 'CANCELLED']) });
export type CommandReport = Readonly<z.infer<typeof commandReportSchema>>;

interface Meaning {
  readonly means: string;
  /** What a person does now; null: nothing. */
  readonly remedy: string | null;
}

export const statusTexts: Readonly<Record<ComponentStatus, Meaning>> = {
  NOT_USED: { means: 'The component is declared and not used by the product; it is never transferred.', remedy: null },
  NOT_ENABLED: { means: 'The store is not licensed for it.', remedy: 'Change the edition of the store if it should have it.' },
  QUEUED: { means: 'It is part of the run and has not begun.', remedy: null },
  BLOCKED: { means: 'It waits for another component.', remedy: null },
  RUNNING: { means: 'It is being transferred.', remedy: null },
  PAUSED: {
    means: 'It waits, keeps what it has, and goes on by itself.',
    remedy: 'Look at the link of the store if it stays so for hours.',
  },
  COMPLETED: { means: 'Everything is there, and proved equal.', remedy: null },
  COMPLETED_NO_CHANGES: { means: 'It was looked at, and there was nothing to do.', remedy: null },
  COMPLETED_WITH_ISSUES: {
    means: 'Everything was tried, and some records need a person.',
    remedy: 'Look at `storeline exceptions list` for this store.',
  },
  FAILED: { means: 'The run ended before it was there.', remedy: 'Start a manual sync if the next run does not get there by itself.' },
  CANCELLED: { means: 'Somebody stopped it, or another run took its place; what it has is kept.', remedy: null },
};

export const reasonTexts: Readonly<Record<FailureReason, Meaning>> = {
  CONNECTIVITY: { means: 'Head office could not be reached.', remedy: 'Look at the link of the store; it is tried again by itself.' },
  AUTH: { means: 'The credential of the store is not accepted.', remedy: 'Enrol the store again with a new code.' },
  DEVICE_MISMATCH: { means: 'The data folder was copied or restored from a backup.', remedy: 'Nothing: it goes on as another replica.' },
  THROTTLED: { means: 'Head office is busy.', remedy: 'Nothing: it is tried again when head office said.' },
  SERVER: { means: 'Head office has a fault.', remedy: 'Look at the alarms of head office.' },
  LOCAL_STORAGE: { means: 'The disk is full, or a file of the store cannot be read.', remedy: 'Free space on the disk of the store.' },
  LOCAL_CLOCK: { means: 'The clock of the store is off.', remedy: 'Set the clock; the agent corrects what it can by itself.' },
  SCHEMA_VERSION: { means: 'Agent and head office are of versions that do not fit.', remedy: 'Update the agent.' },
  INTEGRITY: { means: 'What was received is not what it should be.', remedy: 'Start a manual sync of kind repair.' },
  DATA: { means: 'Something that was asked for is wrong or not there.', remedy: 'Look at the message.' },
};
