import { existsSync } from 'node:fs';
import { agentStanding } from '../core/rollout/agent-version.ts';
import { etaMs, percentOf } from '../core/runs/roll-up.ts';
import { safeActivities } from '../core/runs/standing.ts';
import { type ClockSkew, clockSkew, describeSkew } from '../protocol/clock-skew.ts';
import { OPEN_STATUSES } from '../protocol/operation.ts';
import { SYNC_MINUTES_DEFAULT } from '../protocol/store-settings.ts';
import { type Run, isOver } from '../protocol/runs.ts';
import { AGENT_VERSION, type AgentIo, printJson } from './agent-io.ts';
import { readClockNote } from './clock-note.ts';
import { componentViews, standings } from './component-view.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type Identity, requireIdentity } from './identity.ts';
import { OutboxFile } from './outbox/outbox-file.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { type PlanNote, Replica } from './replica/replica.ts';
import { readRunNotes } from './runs/run-log.ts';
import { upStanding } from './runs/store-facts.ts';

/** What this store has and how right it is known to be. Works without a network and beside a running agent. */
export interface StatusOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function statusCommand(io: AgentIo, { data, json }: StatusOptions): ExitCode {
  const status = statusOf(data, io.clock.now());
  if (json === true) printJson(io, status);
  else io.stdout.write(describe(status));
  return exitCodes.fine;
}

/** For the local API. */
export function statusOf(data: string, now: number): Status {
  const paths = dataPaths(data);
  const identity = requireIdentity(paths.identity);
  const db = openReadOnly(paths.replica);
  const replica = db === null ? null : new Replica(db);
  try {
    return { ...readStatus({ data, identity, replica, now }), outbox: outboxCounts(data, identity.replicaId) };
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
    const counts = outbox.counts();
    return { ...outbox.countOpen(), open: OPEN_STATUSES.reduce((sum, status) => sum + counts[status], 0) };
  } finally {
    outbox.close();
  }
}

type Status = ReturnType<typeof readStatus> & { readonly outbox: ReturnType<typeof outboxCounts> };

interface Known {
  readonly data: string;
  readonly identity: Identity;
  readonly replica: Replica | null;
  readonly now: number;
}

function readStatus({ data, identity, replica, now }: Known) {
  const { storeId, replicaId, organization } = identity;
  const note = replica?.planNote() ?? null;
  const { run } = readRunNotes(dataPaths(data).runs);
  const known = replica === null ? { feeds: [], certificates: [] } : { feeds: replica.feeds(), certificates: replica.certificates() };
  const components = componentViews({ note, ...known, run, up: upStanding(data), now });
  return {
    organization,
    store: note?.store ?? { storeId, name: null, edition: null, zone: null, timeZone: null, currency: null },
    replica: { replicaId, contactAt: note?.serverTime ?? null },
    complete: note !== null && components.every(({ state, certificate }) => state === null || certificate !== null),
    run,
    percent: run === null ? null : percentOf(run),
    etaMs: run === null ? null : etaMs(run, now),
    safe: safeActivities(standings(components)),
    clock: clockOf(data),
    withheld: note?.withheld ?? [],
    ...settingsOf(note),
    components,
  };
}

/** What head office wants of the agent here. */
function settingsOf(note: PlanNote | null) {
  return {
    agent: { version: AGENT_VERSION, ...agentStanding(AGENT_VERSION, note?.agentVersion) },
    syncMinutes: note?.syncMinutes ?? SYNC_MINUTES_DEFAULT,
  };
}

/** null: head office never answered. */
function clockOf(data: string): (ClockSkew & { readonly measuredAt: string }) | null {
  const note = readClockNote(dataPaths(data).clock);
  return note === null ? null : { ...clockSkew(note.skewMs), measuredAt: note.measuredAt };
}

function describe({ organization, store, replica, complete, components, outbox, run, percent, safe, clock, agent }: Status): string {
  const title = `Store ${store.storeId} of ${organization}: ${complete ? 'complete' : 'not complete'}; head office last answered ${replica.contactAt ?? 'never'}`;
  const lines = components.map(({ component, status, state, freshness, rows, asOf }) => {
    if (state === null) return `${component.padEnd(22)} ${status ?? ''}`;
    return `${component.padEnd(22)} ${`${state} ${freshness}`.padEnd(22)} ${rows.toLocaleString('en-US')} rows${asOf === null ? '' : `, newest change of ${asOf}`}`;
  });
  const unsafe = Object.entries(safe).flatMap(([activity, isSafe]) => (isSafe ? [] : [activity]));
  if (unsafe.length > 0) lines.push(`Not safe without head office: ${unsafe.join(', ')}`);
  if (clock?.isOff === true) lines.push(`The clock of this machine is off by ${describeSkew(clock.skewMs)}. ${clock.remedy ?? ''}`);
  if (agent.isOther) lines.push(`This store should run version ${agent.wanted ?? ''} of the agent; it runs ${agent.version}.`);
  if (run !== null) lines.push(describeRun(run, percent));
  if (outbox.withoutReceipt > 0 || outbox.open > 0)
    lines.push(
      `Recorded here: ${outbox.unsent} not sent yet, ${outbox.withoutReceipt} without a receipt, ${outbox.open} wait for somebody`,
    );
  return `${[title, ...lines].join('\n')}\n`;
}

function describeRun({ kind, state, updatedAt, failure }: Run, percent: number | null): string {
  const how = isOver({ state }) || percent === null ? '' : `, ${percent} %`;
  return `Last run: ${kind} ${state}${how}, ${updatedAt}${failure === null ? '' : `: ${failure.code}: ${failure.message}`}`;
}
