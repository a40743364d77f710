import { type AgentIo, printJson } from './agent-io.ts';
import { componentViews } from './component-view.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type Identity, requireIdentity } from './identity.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';

/** What this store has and how right it is known to be. Works without a network and beside a running agent. */
export interface StatusOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function statusCommand(io: AgentIo, { data, json }: StatusOptions): ExitCode {
  const status = statusOf(data);
  if (json === true) printJson(io, status);
  else io.stdout.write(describe(status));
  return exitCodes.fine;
}

/** For the local API. */
export function statusOf(data: string): Status {
  const paths = dataPaths(data);
  const identity = requireIdentity(paths.identity);
  const db = openReadOnly(paths.replica);
  const replica = db === null ? null : new Replica(db);
  try {
    return readStatus(identity, replica);
  } finally {
    replica?.close();
  }
}

type Status = ReturnType<typeof readStatus>;

function readStatus({ storeId, replicaId, organization }: Identity, replica: Replica | null) {
  const note = replica?.planNote() ?? null;
  const lastRun = replica?.lastRun() ?? null;
  const known = replica === null ? { feeds: [], certificates: [] } : { feeds: replica.feeds(), certificates: replica.certificates() };
  const components = componentViews({ note, ...known, lastRun, changes: null });
  return {
    organization,
    store: note?.store ?? { storeId, name: null, edition: null, zone: null, timeZone: null, currency: null },
    replica: { replicaId, contactAt: note?.serverTime ?? null },
    complete: note !== null && components.every(({ state, certificate }) => state === null || certificate !== null),
    lastRun,
    withheld: note?.withheld ?? [],
    components,
  };
}

function describe({ organization, store, replica, complete, components }: Status): string {
  const title = `Store ${store.storeId} of ${organization}: ${complete ? 'complete' : 'not complete'}; head office last answered ${replica.contactAt ?? 'never'}`;
  const lines = components.map(({ component, status, state, rows, asOf }) => {
    if (state === null) return `${component.padEnd(22)} ${status}`;
    return `${component.padEnd(22)} ${`${status} ${state}`.padEnd(32)} ${rows.toLocaleString('en-US')} rows${asOf === null ? '' : `, newest change of ${asOf}`}`;
  });
  return `${[title, ...lines].join('\n')}\n`;
}
