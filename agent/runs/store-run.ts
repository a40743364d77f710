import { decideStart } from '../../core/runs/gate.ts';
import { failureReason } from '../../core/runs/run.ts';
import { components } from '../../protocol/catalogue/catalogue.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import { type RunTrigger, isOver } from '../../protocol/runs.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import type { AgentIo } from '../agent-io.ts';
import { agentLimits } from '../agent-limits.ts';
import { notComplete } from '../sync/fresh-standing.ts';
import type { SyncOptions } from '../sync/run-sync.ts';
import { type StoreSyncOutcome, syncStore } from '../sync/store-sync.ts';
import type { ProgressStyle } from '../progress/progress-lines.ts';
import type { RunLog } from './run-log.ts';
import { declarationOf, standingOf, upStanding } from './store-facts.ts';

/**
 * A sync of this store as a run (INV-46): fresh until it is complete, delta from then on. A fresh run whose link dies waits
 * and is the same run when it goes on; a delta that fails is over, and the next one is another.
 */
export interface StoreRunInput {
  readonly data: string;
  readonly style: ProgressStyle;
  readonly options: SyncOptions;
  readonly trigger: RunTrigger;
}

export async function runStore(io: AgentIo, log: RunLog, input: StoreRunInput): Promise<StoreSyncOutcome> {
  const { data, options } = input;
  begin(log, input);
  try {
    const outcome = await syncStore(io, { ...input, log });
    // Whoever was restored or copied has become another, and that one's run is this.
    conclude(io, log, { data, outcome });
    return outcome;
  } catch (error) {
    interrupt(io, log, error);
    throw error;
  } finally {
    if (options.deltaOnly === true && log.run !== null && !isOver(log.run)) log.cancel();
  }
}

function begin(log: RunLog, { data, options, trigger }: StoreRunInput): void {
  const standing = standingOf(data);
  const wanted = options.deltaOnly === true ? 'delta' : options.fresh === true ? 'fresh' : 'auto';
  const current = log.run;
  // This process holds the folder: whoever began what is not over is gone.
  const decision = decideStart({ wanted, current, freshOutstanding: standing.outstanding }, { isHeld: false });
  if (decision.action === 'refuse') throw notComplete(decision.outstanding);
  if (decision.action !== 'start' && decision.action !== 'take-over') return;
  log.start({ kind: decision.kind, trigger, ...declarationOf(data) });
  if (standing.components !== null) log.plan({ components: standing.components });
}

function conclude({ clock }: AgentIo, log: RunLog, { data, outcome }: { data: string; outcome: StoreSyncOutcome }): void {
  const resumeAfter = new Date(clock.now() + agentLimits.freshAgainMs).toISOString();
  const isFresh = log.run?.kind === 'fresh';
  const waiting = new Set(outcome.outstanding.map(({ component }) => component));
  const up = upStanding(data);
  const code = outcome.up.failure?.code as ErrorCodeName | undefined;
  const failure = failureReason(code ?? 'UNAVAILABLE');
  for (const { name } of components) {
    const changes = Math.max(outcome.changes.get(name) ?? 0, isFresh ? loadedBefore(log, name) : 0);
    if (!waiting.has(name)) log.event(name, 'DOWN', { type: 'COMPLETE', changes, issues: 0 });
    else if (isFresh) log.event(name, 'DOWN', { type: 'PAUSE', resumeAfter, reason: null });
    else log.event(name, 'DOWN', { type: 'FAIL', reason: 'INTEGRITY', retryable: true });
    const own = up.get(name) ?? { waiting: 0, open: 0 };
    const sent = outcome.sentBefore.get(name) ?? 0;
    if (own.waiting === 0) log.event(name, 'UP', { type: 'COMPLETE', changes: sent, issues: own.open });
    else if (isFresh && failure.retryable) log.event(name, 'UP', { type: 'PAUSE', resumeAfter, reason: failure.reason });
    else log.event(name, 'UP', { type: 'FAIL', ...failure });
  }
}

/** A fresh run that was interrupted has loaded part of it by then. */
function loadedBefore({ run }: RunLog, name: ComponentName): number {
  return run?.components.find(({ component, direction }) => component === name && direction === 'DOWN')?.done ?? 0;
}

function interrupt({ clock, signal }: AgentIo, log: RunLog, error: unknown): void {
  const { run } = log;
  if (run === null || isOver(run)) return;
  const { code, message } = isSyncError(error) ? error : { code: 'INTERNAL' as const, message: 'a bug; the log says more' };
  if (run.kind === 'fresh' && (signal.aborted || failureReason(code).retryable)) log.pause(code, clock.now() + agentLimits.freshAgainMs);
  else if (signal.aborted) log.cancel();
  else log.fail(code, message);
}
