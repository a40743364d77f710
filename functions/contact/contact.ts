import type { FreshWorkflows } from '../../core/ports/fresh-workflows.ts';
import type { FreshRecord, RunStore } from '../../core/ports/run-store.ts';
import type { Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import { COMMAND_LIFE_MS, afterCommandEvent, eventOf, expired } from '../../core/runs/command.ts';
import { limits } from '../../protocol/limits.ts';
import type { ContactRequest, ContactResponse, FreshStanding } from '../../protocol/messages/contact.ts';
import { type Command, type CommandReport, type Run, isCommandOver, isOver } from '../../protocol/runs.ts';
import { type CheckDeps, checkFreshRun } from '../fresh-run/check-fresh-run.ts';
import { noteContact } from '../plan/note-contact.ts';
import { noteSynced } from './note-synced.ts';

/**
 * A running agent comes by: its run is kept, what head office wants is told, and a fresh run gets its workflow and, as soon as
 * the agent thinks it is over, its check (INV-45). Everything may come twice.
 */
export interface ContactDeps extends CheckDeps {
  readonly registry: CheckDeps['registry'] & Pick<StoreRegistry, 'noteContact' | 'noteSynced'>;
  readonly runs: RunStore;
  readonly workflows: FreshWorkflows;
}

/**
 * An old fresh run that is said again would take the place of a newer one, and get a workflow. Whatever else is said twice is known by when it
 * was, or over already.
 */
export function beginsSomething({ run }: Pick<ContactRequest, 'run'>): boolean {
  return run?.kind === 'fresh';
}

export async function contact(
  deps: ContactDeps,
  { store, replica, skewMs = 0 }: { readonly store: Store; readonly replica: Replica; readonly skewMs?: number },
  { run, commands, agentVersion }: ContactRequest,
): Promise<ContactResponse> {
  const everyMs = run?.kind === 'fresh' ? limits.freshContactNoteMs : limits.contactNoteMs;
  await noteContact(deps, replica, { agentVersion, skewMs, everyMs });
  if (run !== null) await keep(deps, store, run);
  await noteSynced(deps, { replica, skewMs }, run);
  const fresh = await freshOf(deps, replica, run);
  return {
    serverTime: new Date(deps.clock.now()).toISOString(),
    commands: await commandsOf(deps, replica, commands),
    cancelRun: isCancelled(fresh, run) ? (fresh?.runId ?? null) : null,
    fresh: fresh === null ? null : await standingOf(deps, fresh, run),
  };
}

/**
 * Of deltas that found nothing, a hundred a day in every store, the last one stands in the history: without it the store would seem to
 * be in the middle of it, or as it was before.
 */
async function keep({ runs, clock }: ContactDeps, { storeId }: Store, run: Run): Promise<void> {
  await runs.noteRun(storeId, run);
  if (!isOver(run)) return;
  await runs.pruneRuns(storeId, clock.now() - limits.runsKeptMs);
  if (!foundNothing(run)) return;
  const before = (await runs.readRuns(storeId, 2)).find(({ runId }) => runId < run.runId);
  if (before !== undefined && before.replicaId === run.replicaId && foundNothing(before)) await runs.removeRun(storeId, before.runId);
}

function foundNothing({ kind, state }: Run): boolean {
  return kind === 'delta' && state === 'COMPLETED_NO_CHANGES';
}

/**
 * A run that is heard of first is written down before its workflow begins, or the workflow would find nothing and end; and it
 * is written down that it began, or a contact that was cut between would leave the run without one.
 */
async function freshOf(deps: ContactDeps, { replicaId, storeId }: Replica, run: Run | null): Promise<FreshRecord | null> {
  const { runs, workflows, clock } = deps;
  let record = await runs.readFresh(replicaId);
  const at = new Date(clock.now()).toISOString();
  if (run !== null && run.kind === 'fresh' && record?.runId !== run.runId && !isLate(record, run)) {
    record = { storeId, replicaId, runId: run.runId, startedAt: at, declaredThrough: run.declaredThrough, ...NEW_RECORD };
    await runs.putFresh(record);
  }
  if (record === null || record.workflowAt !== null || record.completeAt !== null || record.cancelledAt !== null) return record;
  await workflows.start({ storeId, runId: record.runId });
  const begun = { ...record, workflowAt: at };
  await runs.changeFresh(begun);
  return begun;
}

/** What was said about an earlier run that is over came behind what was said about the next one. */
function isLate(record: FreshRecord | null, run: Run): boolean {
  return record !== null && isOver(run) && run.runId < record.runId;
}

const NEW_RECORD = { workflowAt: null, completeAt: null, cancelledAt: null, checkedAt: null, missing: [] } as const;

function isCancelled(fresh: FreshRecord | null, run: Run | null): boolean {
  return fresh !== null && fresh.cancelledAt !== null && run?.runId === fresh.runId && !isOver(run);
}

async function standingOf(deps: ContactDeps, record: FreshRecord, run: Run | null): Promise<FreshStanding | null> {
  const { runId, completeAt, missing } = record;
  const isDone = completeAt !== null || record.cancelledAt !== null;
  // The agent thinks that it is there: it hears at once whether it is.
  const seen = !isDone && run?.runId === runId && isOver(run) ? await checkFreshRun(deps, record) : null;
  if (seen === null) return { runId, complete: completeAt !== null, missing: [...missing], prove: [] };
  const prove = seen.redrive.flatMap((act) => (act.what === 'ASK_STORE' ? act.feeds : []));
  return { runId, complete: seen.complete, missing: [...seen.record.missing], prove };
}

async function commandsOf(deps: ContactDeps, { replicaId, storeId }: Replica, reports: readonly CommandReport[]): Promise<Command[]> {
  const now = deps.clock.now();
  const at = new Date(now).toISOString();
  const known = await deps.runs.readCommands(storeId, now - COMMAND_LIFE_MS - limits.runsKeptMs);
  const open: Command[] = [];
  for (const before of known.filter((command) => command.replicaId === replicaId)) {
    const report = reports.find(({ commandId }) => commandId === before.commandId);
    const heard = report === undefined ? expired(before, now) : afterCommandEvent(before, eventOf(report), { at, report });
    const after = heard.state === 'PENDING' ? afterCommandEvent(heard, 'DELIVER', { at }) : heard;
    // Somebody else was faster: the next contact sees what it is now.
    if (after !== before && (await deps.runs.changeCommand(before, after)) === 'conflict') continue;
    if (!isCommandOver(after)) open.push(after);
  }
  return open;
}
