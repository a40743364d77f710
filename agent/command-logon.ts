import { type AgentIo, printJson, progressStyle } from './agent-io.ts';
import { type ComponentView, componentViews } from './component-view.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import type { SyncOutcome } from './sync/run-sync.ts';
import { type StoreSyncOutcome, syncStore } from './sync/store-sync.ts';

/** One sync: fresh until the store is complete, delta from then on. Goes on where the last one ended. `delta` is the same, refused before that. */
export interface LogonOptions {
  readonly data: string;
  readonly wait?: boolean;
  readonly fresh?: boolean;
  readonly deltaOnly?: boolean;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function logonCommand(io: AgentIo, { data, wait, fresh, deltaOnly, json, progress }: LogonOptions): Promise<ExitCode> {
  const paths = dataPaths(data);
  requireIdentity(paths.identity);
  const startedAt = performance.now();
  const lock = lockFolder(paths);
  try {
    const options = { wait: wait === true, fresh: fresh === true, deltaOnly: deltaOnly === true };
    const outcome = await syncStore(io, { data, style: progressStyle(io, progress), options });
    // A replica with two pasts has become another one.
    const { storeId, replicaId } = requireIdentity(paths.identity);
    const complete = outcome.outstanding.length === 0;
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    const views = viewsAfter(paths.replica, outcome);
    if (json === true) {
      const parts = views.map(({ component, status, rows, certificate }) => ({ component, status, rows, certificate }));
      printJson(io, {
        storeId,
        replicaId,
        kind: outcome.kind,
        complete,
        components: parts,
        outstanding: outcome.outstanding,
        transfer: outcome.transfer,
        up: outcome.up,
        seconds,
      });
    } else {
      io.stdout.write(`${describe(views, outcome, seconds)}\n`);
    }
    if (!complete)
      io.stderr.write(
        `Not complete yet: ${outcome.outstanding.map(({ feed, reason }) => `${feed} (${reason})`).join(', ')}. Run logon again, or with --wait.\n`,
      );
    return complete ? exitCodes.fine : exitCodes.notComplete;
  } finally {
    lock.release();
  }
}

function viewsAfter(path: string, { changes }: SyncOutcome): ComponentView[] {
  const db = openReadOnly(path);
  if (db === null) return [];
  const replica = new Replica(db);
  try {
    return componentViews({
      note: replica.planNote(),
      feeds: replica.feeds(),
      certificates: replica.certificates(),
      lastRun: null,
      changes,
    });
  } finally {
    replica.close();
  }
}

function describe(views: readonly ComponentView[], { kind, outstanding, up }: StoreSyncOutcome, seconds: number): string {
  const lines = views
    .filter(({ status }) => status !== 'NOT_USED')
    .map(({ component, status, rows }) => `${component.padEnd(22)} ${status.padEnd(22)} ${rows.toLocaleString('en-US')} rows`);
  if (up.sent > 0 || up.withoutReceipt > 0)
    lines.push(`Sent ${up.sent}, ${up.receipts} receipts; ${up.unsent} not sent yet, ${up.withoutReceipt} without a receipt`);
  if (up.failure !== null) lines.push(`Nothing more goes up for now: ${up.failure.code}: ${up.failure.message}`);
  return [
    ...lines,
    `${kind === 'fresh' ? 'Fresh' : 'Delta'} sync ${outstanding.length === 0 ? 'complete' : 'not complete'} after ${seconds} s`,
  ].join('\n');
}
