import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { type Run, type RunKind, isOver } from '../../protocol/runs.ts';
import type { Outstanding } from '../reconcile/readiness.ts';

/**
 * Whether a run may begin (INV-46): one at a time in a store; whoever logs on during one joins it; a delta comes after the
 * fresh sync and never instead of it; a manual sync waits for what is under way or takes its place, and never runs between.
 */
export interface StartRequest {
  readonly wanted: 'auto' | RunKind;
  /** The store's run that is not over, or its last one. */
  readonly current: Run | null;
  /** What the fresh sync still lacks; null: it never began. */
  readonly freshOutstanding: readonly Outstanding[] | null;
  readonly takeOver?: boolean;
}

export type StartDecision =
  | { readonly action: 'start'; readonly kind: RunKind }
  /** Its own fresh run is gone on with: a run that was interrupted is the same run. */
  | { readonly action: 'resume'; readonly run: Run }
  | { readonly action: 'join'; readonly run: Run }
  | { readonly action: 'wait'; readonly behind: Run }
  | { readonly action: 'take-over'; readonly from: Run; readonly kind: RunKind }
  | { readonly action: 'refuse'; readonly code: 'FRESH_NOT_COMPLETE'; readonly outstanding: readonly Outstanding[] | null };

/** `isHeld`: a process of this store works on that run now. */
export function decideStart(
  { wanted, current, freshOutstanding, takeOver = false }: StartRequest,
  { isHeld }: { isHeld: boolean },
): StartDecision {
  const isComplete = freshOutstanding !== null && freshOutstanding.length === 0;
  const kind: RunKind = wanted === 'auto' ? (isComplete ? 'delta' : 'fresh') : wanted;
  if (kind === 'delta' && !isComplete) return { action: 'refuse', code: 'FRESH_NOT_COMPLETE', outstanding: freshOutstanding };
  const live = current !== null && !isOver(current) ? current : null;
  if (live === null) return { action: 'start', kind };
  if (isHeld) {
    if (kind !== 'manual') return { action: 'join', run: live };
    return takeOver ? { action: 'take-over', from: live, kind } : { action: 'wait', behind: live };
  }
  if (live.kind === kind && kind === 'fresh') return { action: 'resume', run: live };
  return { action: 'take-over', from: live, kind };
}

interface PlannedComponent {
  readonly component: ComponentName;
  readonly status: 'ENABLED' | 'NOT_USED' | 'NOT_ENABLED';
}

/** The first that is chosen and never transferred to the store, which therefore cannot be repaired there; null: there is none. */
export function neverTransferred(
  planned: readonly PlannedComponent[],
  chosen: readonly ComponentName[],
): { readonly code: 'COMPONENT_NOT_USED' | 'COMPONENT_NOT_ENABLED'; readonly message: string } | null {
  for (const { component, status } of planned) {
    if (status === 'ENABLED' || !chosen.includes(component)) continue;
    return status === 'NOT_USED'
      ? { code: 'COMPONENT_NOT_USED', message: `${component} is not used; it is never transferred` }
      : { code: 'COMPONENT_NOT_ENABLED', message: `${component} is not enabled for this store; it is never transferred` };
  }
  return null;
}

/** A manual sync is offered where one of the others did not get there by itself, and otherwise to whoever says why. */
export function isManualOffered({
  last,
  isOverdue,
}: {
  readonly last: Pick<Run, 'state' | 'kind'> | null;
  readonly isOverdue: boolean;
}): boolean {
  if (isOverdue) return true;
  return last !== null && (last.state === 'FAILED' || last.state === 'COMPLETED_WITH_ISSUES');
}
