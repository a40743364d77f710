import { type AgentIo, printJson } from './agent-io.ts';
import { componentViews } from './component-view.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import type { LastRun } from './sync/sync-session.ts';

/** What this store has and how right it is known to be. Works without a network and beside a running agent. */
export interface StatusOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function statusCommand(io: AgentIo, { data, json }: StatusOptions): ExitCode {
  const paths = dataPaths(data);
  const { storeId, replicaId, organization } = requireIdentity(paths.identity);
  const db = openReadOnly(paths.replica);
  const replica = db === null ? null : new Replica(db);
  try {
    const note = replica?.planNote() ?? null;
    const lastRunText = replica?.meta('last_run') ?? null;
    const lastRun = lastRunText === null ? null : (JSON.parse(lastRunText) as LastRun);
    const components = componentViews({ note, feeds: replica?.feeds() ?? [], certificates: replica?.certificates() ?? [], lastRun, changes: null });
    const complete = components.every(({ state, certificate }) => state === null || certificate !== null) && note !== null;
    const store = note?.store ?? { storeId, name: null, edition: null, zone: null, timeZone: null, currency: null };
    const contactAt = note?.serverTime ?? null;
    if (json === true) {
      printJson(io, { organization, store, replica: { replicaId, contactAt }, complete, lastRun, withheld: note?.withheld ?? [], components });
    } else {
      io.stdout.write(`Store ${storeId} of ${organization}: ${complete ? 'complete' : 'not complete'}; head office last answered ${contactAt ?? 'never'}\n`);
      for (const { component, status, state, rows, asOf } of components) {
        const standing = state === null ? status : `${status} ${state}`;
        io.stdout.write(`${component.padEnd(22)} ${standing.padEnd(32)} ${state === null ? '' : `${rows.toLocaleString('en-US')} rows${asOf === null ? '' : `, as of ${asOf}`}`}\n`);
      }
    }
    return exitCodes.fine;
  } finally {
    replica?.close();
  }
}
