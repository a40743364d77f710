import { limits } from '../../protocol/limits.ts';
import type { CanaryStore, Measure, Trial } from '../../protocol/rollout.ts';
import type { ComponentRun, Run } from '../../protocol/runs.ts';
import { type Replica, lastHeardAt } from '../ports/store-registry.ts';
import { expectedReplicas } from '../stores/descendants.ts';

/**
 * What a canary store says about a candidate, out of what it reported: counted in two windows of the same length, the one before the
 * candidate and the newest one with it. Times are head office's: a run's are corrected by how far the store's clock is off.
 */
export interface Windows {
  readonly before: Window;
  readonly now: Window;
}

/** ms; without its end. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export type Counts = Readonly<Record<Measure, number>>;

export interface Observation extends CanaryStore {
  readonly before: Counts;
  readonly now: Counts;
}

export interface Seen {
  readonly storeId: string;
  readonly replicas: readonly Replica[];
  /** Of both windows, and from between them. */
  readonly runs: readonly Run[];
  /** When feeds were found different, ms. */
  readonly differences: readonly number[];
}

/** The newest hours of the trial, at most as many as it takes, and as long before its candidate. */
export function windowsOf(
  { canary, begunAt, startedAt }: Trial,
  { now, hourMs }: { readonly now: number; readonly hourMs: number },
): Windows {
  const from = Math.max(Date.parse(startedAt), now - canary.hours * hourMs);
  const begun = Date.parse(begunAt);
  return { before: { from: begun - Math.max(0, now - from), to: begun }, now: { from, to: now } };
}

export function observeStore(seen: Seen, trial: Trial, time: { readonly now: number; readonly hourMs: number }): Observation {
  const windows = windowsOf(trial, time);
  const events = eventsOf(seen, limits.rolloutSlotHours * time.hourMs);
  const countIn = ({ from, to }: Window): Counts => ({
    failedRuns: new Set(events.failed.filter(({ at }) => at >= from && at < to).map(({ slot }) => slot)).size,
    issues: events.issues.filter(({ at }) => at >= from && at < to).reduce((sum, { count }) => sum + count, 0),
    differences: seen.differences.filter((at) => at >= from && at < to).length,
  });
  return { storeId: seen.storeId, standing: standingOf(seen, trial), before: countIn(windows.before), now: countIn(windows.now) };
}

/** A replica that was heard of and has not synced with the candidate is a reason to wait, whatever the others did. */
function standingOf({ replicas, runs }: Seen, { revision, startedAt }: Trial): CanaryStore['standing'] {
  const start = Date.parse(startedAt);
  const heard = expectedReplicas(replicas).filter(
    (replica) =>
      replica.told?.revision === revision ||
      Date.parse(lastHeardAt(replica)) >= start ||
      runs.some((run) => run.replicaId === replica.replicaId && ms(run, replica) >= start),
  );
  if (heard.length === 0) return 'SILENT';
  return heard.every(({ told }) => told?.revision === revision && told.syncedAt !== null) ? 'SYNCED' : 'HEARD';
}

function eventsOf({ replicas, runs }: Seen, slotMs: number) {
  const clocks = new Map(replicas.map((replica) => [replica.replicaId, replica]));
  const failed: { at: number; slot: number }[] = [];
  const issues: { at: number; count: number }[] = [];
  const known = new Map<string, number>();
  const timed = runs.map((run) => ({ run, at: ms(run, clocks.get(run.replicaId)) })).toSorted((a, b) => a.at - b.at);
  for (const { run, at } of timed) {
    if (run.state === 'FAILED') failed.push({ at, slot: Math.floor(at / slotMs) });
    for (const one of run.components) {
      const count = newIssues(known, run.replicaId, one);
      if (count > 0) issues.push({ at, count });
    }
  }
  return { failed, issues };
}

/** A run says how many are open. How many came is how many more there are than in the run before; what the first one has may be old. */
function newIssues(known: Map<string, number>, replicaId: string, { component, direction, status, issues }: ComponentRun): number {
  if (!status.startsWith('COMPLETED')) return 0;
  const key = `${replicaId} ${component} ${direction}`;
  const before = known.get(key);
  known.set(key, issues);
  return before === undefined ? 0 : Math.max(0, issues - before);
}

function ms({ startedAt }: Run, replica: Replica | undefined): number {
  return Date.parse(startedAt) - (replica?.skewMs ?? 0);
}
