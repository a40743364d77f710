import { type AgentIo, printJson, progressStyle } from './agent-io.ts';
import { type ComponentView, componentViews } from './component-view.ts';
import { type DataPaths, dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import type { StoreSyncOutcome } from './sync/store-sync.ts';
import type { Run } from '../protocol/runs.ts';
import { isSyncError } from '../protocol/sync-error.ts';
import { Contacts } from './runs/contacts.ts';
import { askAgent } from './runs/requests.ts';
import { RunLog, readRunNotes } from './runs/run-log.ts';
import { standingOf, upStanding } from './runs/store-facts.ts';
import { runStore } from './runs/store-run.ts';
import { dropCertificates } from './sync/drop-certificates.ts';
import { notComplete } from './sync/fresh-standing.ts';

/** One sync: fresh until the store is complete, delta from then on. Goes on where the last one ended. `delta` is the same, refused before that. */
export interface LogonOptions {
  readonly data: string;
  readonly wait?: boolean;
  readonly fresh?: boolean;
  readonly deltaOnly?: boolean;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function logonCommand(io: AgentIo, options: LogonOptions): Promise<ExitCode> {
  const paths = dataPaths(options.data);
  requireIdentity(paths.identity);
  for (;;) {
    const lock = lockUnlessBusy(paths);
    if (lock === null) {
      const code = await join(io, options);
      if (code !== null) return code;
      continue;
    }
    try {
      return await logon(io, options);
    } finally {
      lock.release();
    }
  }
}

function lockUnlessBusy(paths: DataPaths): FolderLock | null {
  try {
    return lockFolder(paths);
  } catch (error) {
    if (isSyncError(error, 'REPLICA_BUSY')) return null;
    throw error;
  }
}

/** An agent works on this folder: this logon is its business. null: it is gone. */
async function join(io: AgentIo, { data, json, deltaOnly }: LogonOptions): Promise<ExitCode | null> {
  const paths = dataPaths(data);
  const startedAt = io.clock.now();
  if (deltaOnly === true) {
    const { outstanding } = standingOf(data);
    if (outstanding?.length !== 0) throw notComplete(outstanding);
  }
  io.stderr.write('An agent works on this folder already; this logon joins its run.\n');
  const answer = await askAgent(io, paths, { id: io.ids.next(), ask: 'logon' });
  const run = answer?.run ?? readRunNotes(paths.runs).run;
  // It ended by itself while this one waited: that was the run.
  const isJoined = answer !== null || (run?.finishedAt != null && Date.parse(run.finishedAt) >= startedAt);
  if (run === null || !isJoined) return null;
  const { storeId, replicaId } = requireIdentity(paths.identity);
  const complete = run.state.startsWith('COMPLETED');
  if (json === true) printJson(io, { storeId, replicaId, kind: run.kind, complete, joined: true, run });
  else io.stdout.write(`Joined: ${run.kind} run ${run.state}\n`);
  if (answer?.failure != null) io.stderr.write(`${answer.failure.code}: ${answer.failure.message}\n`);
  return complete ? exitCodes.fine : exitCodes.notComplete;
}

async function logon(io: AgentIo, { data, wait, fresh, deltaOnly, json, progress }: LogonOptions): Promise<ExitCode> {
  const paths = dataPaths(data);
  const startedAt = performance.now();
  const options = { wait: wait === true, fresh: fresh === true, deltaOnly: deltaOnly === true };
  const log: RunLog = new RunLog({ path: paths.runs, clock: io.clock, ids: io.ids, onChange: () => contacts.changed() });
  const contacts = new Contacts(io, data, { log: () => log });
  // What failed before this, perhaps because head office could not be reached, is told before it is replaced.
  if (log.run?.state === 'FAILED') await contacts.contact();
  const outcome = await withContact(io, { data, contacts, wait: options.wait }, () =>
    runStore(io, log, { data, style: progressStyle(io, progress), options, trigger: 'LOGON' }),
  );
  // A replica with two pasts has become another one.
  const { storeId, replicaId } = requireIdentity(paths.identity);
  const complete = outcome.outstanding.length === 0;
  const seconds = Math.round(performance.now() - startedAt) / 1_000;
  const views = viewsAfter(io, data, log.run);
  if (json === true) {
    const parts = views.map(({ component, status, rows, certificate }) => ({ component, status, rows, certificate }));
    const { kind, outstanding, transfer, up } = outcome;
    printJson(io, { storeId, replicaId, kind, complete, components: parts, outstanding, transfer, up, seconds, run: log.run });
  } else {
    io.stdout.write(`${describe(views, outcome, seconds)}\n`);
  }
  if (!complete)
    io.stderr.write(
      `Not complete yet: ${outcome.outstanding.map(({ feed, reason }) => `${feed} (${reason})`).join(', ')}. Run logon again, or with --wait.\n`,
    );
  return complete ? exitCodes.fine : exitCodes.notComplete;
}

interface Contacted {
  readonly data: string;
  readonly contacts: Contacts;
  readonly wait: boolean;
}

/** Head office hears how it ended. What it has not seen proved is proved again, once. */
async function withContact<T>(io: AgentIo, { data, contacts, wait }: Contacted, run: () => Promise<T>): Promise<T> {
  try {
    const outcome = await run();
    const answer = await contacts.contact();
    if (!wait || answer?.fresh == null || answer.fresh.complete || answer.fresh.prove.length === 0) return outcome;
    dropCertificates(io, dataPaths(data), answer.fresh.prove);
    const again = await run();
    await contacts.contact();
    return again;
  } catch (error) {
    await contacts.contact();
    throw error;
  }
}

function viewsAfter(io: AgentIo, data: string, run: Run | null): ComponentView[] {
  const db = openReadOnly(dataPaths(data).replica);
  if (db === null) return [];
  const replica = new Replica(db);
  try {
    return componentViews({
      note: replica.planNote(),
      feeds: replica.feeds(),
      certificates: replica.certificates(),
      run,
      up: upStanding(data),
      now: io.clock.now(),
    });
  } finally {
    replica.close();
  }
}

function describe(views: readonly ComponentView[], { kind, outstanding, up }: StoreSyncOutcome, seconds: number): string {
  const lines = views
    .filter(({ status }) => status !== 'NOT_USED')
    .map(({ component, status, rows }) => `${component.padEnd(22)} ${(status ?? '').padEnd(22)} ${rows.toLocaleString('en-US')} rows`);
  if (up.sent > 0 || up.withoutReceipt > 0)
    lines.push(`Sent ${up.sent}, ${up.receipts} receipts; ${up.unsent} not sent yet, ${up.withoutReceipt} without a receipt`);
  if (up.failure !== null) lines.push(`Nothing more goes up for now: ${up.failure.code}: ${up.failure.message}`);
  return [
    ...lines,
    `${kind === 'fresh' ? 'Fresh' : 'Delta'} sync ${outstanding.length === 0 ? 'complete' : 'not complete'} after ${seconds} s`,
  ].join('\n');
}
