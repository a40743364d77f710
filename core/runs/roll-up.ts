import type { ComponentRun, Run, RunState } from '../../protocol/runs.ts';
import { isTerminal } from './component-status.ts';

/**
 * A run's state from its components', as the domain page says: failed if one failed; else with issues if one has any; else
 * complete; without changes only if all are. What is not used or not enabled is ignored. Every enabled component is required: a
 * store without one of them is not right.
 */
export function rollUp(components: readonly ComponentRun[]): RunState {
  const counted = components.filter(isCounted);
  const has = (status: ComponentRun['status']) => counted.some((one) => one.status === status);
  if (components.length === 0) return 'RUNNING';
  const isOver = counted.every(({ status }) => isTerminal(status));
  if (!isOver) return counted.every(({ status }) => isTerminal(status) || status === 'PAUSED') ? 'PAUSED' : 'RUNNING';
  if (has('FAILED')) return 'FAILED';
  if (has('CANCELLED')) return 'CANCELLED';
  if (has('COMPLETED_WITH_ISSUES')) return 'COMPLETED_WITH_ISSUES';
  return has('COMPLETED') ? 'COMPLETED' : 'COMPLETED_NO_CHANGES';
}

function isCounted({ status }: ComponentRun): boolean {
  return status !== 'NOT_USED' && status !== 'NOT_ENABLED';
}

/** Whole percent of what is known to be done, 100 only when everything is over; null: nothing is known. */
export function percentOf({ components }: Pick<Run, 'components'>): number | null {
  const counted = components.filter(isCounted);
  if (components.length > 0 && counted.every(({ status }) => isTerminal(status))) return 100;
  const known = counted.filter(({ total }) => total !== null && total > 0);
  const total = known.reduce((sum, one) => sum + (one.total ?? 0), 0);
  if (total === 0) return null;
  const done = known.reduce((sum, one) => sum + Math.min(one.done, one.total ?? 0), 0);
  return Math.min(99, Math.floor((done * 100) / total));
}

/** Milliseconds until it is done at the pace so far; null: nobody can say. */
export function etaMs(run: Pick<Run, 'components' | 'startedAt'>, now: number): number | null {
  const percent = percentOf(run);
  if (percent === null || percent === 0) return null;
  const took = now - Date.parse(run.startedAt);
  return took <= 0 ? null : Math.round((took * (100 - percent)) / percent);
}
