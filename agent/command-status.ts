import { existsSync } from 'node:fs';
import { type AgentIo, printJson } from './agent-io.ts';
import { componentViews } from './component-view.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type Identity, requireIdentity } from './identity.ts';
import { OutboxFile } from './outbox/outbox-file.ts';
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
    return { ...readStatus(identity, replica), outbox: outboxCounts(data, identity.replicaId) };
  } finally {
    replica?.close();
  }
}

/** Entries that are not closed yet, and those that wait for a person. */
function outboxCounts(
  data: string,
  replicaId: string,
): { readonly unsent: number; readonly withoutReceipt: number; readonly open: number } {
  const path = dataPaths(data).outbox;
  if (!existsSync(path)) return { unsent: 0, withoutReceipt: 0, open: 0 };
  const outbox = OutboxFile.open(path, replicaId);
  try {
    const { CONFLICT, REJECTED, QUARANTINED, HELD } = outbox.counts();
    return { ...outbox.countOpen(), open: CONFLICT + REJECTED + QUARANTINED + HELD };
  } finally {
    outbox.close();
  }
}

type Status = ReturnType<typeof readStatus> & { readonly outbox: ReturnType<typeof outboxCounts> };

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

function describe({ organization, store, replica, complete, components, outbox }: Status): string {
  const title = `Store ${store.storeId} of ${organization}: ${complete ? 'complete' : 'not complete'}; head office last answered ${replica.contactAt ?? 'never'}`;
  const lines = components.map(({ component, status, state, rows, asOf }) => {
    if (state === null) return `${component.padEnd(22)} ${status}`;
    return `${component.padEnd(22)} ${`${status} ${state}`.padEnd(32)} ${rows.toLocaleString('en-US')} rows${asOf === null ? '' : `, newest change of ${asOf}`}`;
  });
  if (outbox.withoutReceipt > 0 || outbox.open > 0)
    lines.push(
      `Recorded here: ${outbox.unsent} not sent yet, ${outbox.withoutReceipt} without a receipt, ${outbox.open} wait for somebody`,
    );
  return `${[title, ...lines].join('\n')}\n`;
}
