import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command as Cli } from 'commander';
import type * as z from 'zod';
import { COMPONENT_NAMES, type ComponentName } from '../../protocol/catalogue/types.ts';
import type { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import {
  COMMAND_KINDS,
  type Command,
  type CommandKind,
  type Run,
  isCommandOver,
  isOver,
  reasonTexts,
  statusTexts,
} from '../../protocol/runs.ts';
import { describeSkew } from '../../protocol/clock-skew.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { HeadOffice } from '../head-office.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, say, table } from '../output.ts';
import { type ListOptions, printList } from '../print-list.ts';
import { withStack } from '../stack.ts';

/** Runs of stores, and manual syncs of one store. */
type Status = z.infer<(typeof consoleResponseSchemas)['sync.status']>;

interface Common extends OfficeOptions {
  readonly json?: boolean;
}

const WATCH_MS = 1_000;
/** A store comes by every minute. */
const PREVIEW_WAIT_MS = 180_000;

export function addSyncCommand(program: Cli): void {
  const sync = program.command('sync').description('runs of stores: how they stand, manual syncs, following one to its end');
  common(sync.command('status [store]').description('how the stores stand, or one store with its runs'))
    .option('--limit <count>', 'how many stores at most', Number)
    .option('--after <id>', 'stores after this one')
    .action(status);
  common(sync.command('manual <store>').description('repair one store, load components again, or have it send again what it recorded'))
    .option('--kind <kind>', COMMAND_KINDS.join(', '), 'repair')
    .option('--component <name...>', 'only these components')
    .option('--preview', 'have the store say what it would do; it does nothing')
    .option('--take-over', 'stop what is under way instead of waiting for it')
    .option('--reason <text>', 'why; has to be said when nothing failed, and with --take-over')
    .option('--replica <id>', 'which replica, when the store has several')
    .option('--wait', 'until it is over')
    .action(manual);
  common(sync.command('watch <store>').description('follow the run of a store to its end; ends with 0 when it is complete'))
    .option('--timeout <seconds>', 'give up after this long', Number)
    .action(watch);
  common(sync.command('cancel <store>').description('stop what is open: commands, and the fresh run; what was transferred stays'))
    .option('--reason <text>', 'why; it stands in the audit')
    .action(async (storeId: string, { json, reason, ...where }: Common & { readonly reason?: string }) =>
      withStack(where, async ({ office }) => {
        const answer = await office.call({ op: 'sync.cancel', storeId, ...(reason === undefined ? {} : { reason }) });
        print({ json: json === true }, answer, () =>
          answer.cancelled.length === 0 ? 'Nothing was open.' : `Cancelled: ${answer.cancelled.join(', ')}`,
        );
      }),
    );
}

function common(command: Cli): Cli {
  return withOfficeOptions(command).option('--json', 'as JSON');
}

async function status(storeId: string | undefined, options: ListOptions): Promise<void> {
  await withStack(options, async ({ office }) => {
    if (storeId === undefined) return listStores(office, options);
    const answer = await office.call({ op: 'sync.status', storeId });
    return print({ json: options.json === true }, answer, () => describeStatus(answer));
  });
}

function listStores(office: HeadOffice, options: ListOptions): Promise<void> {
  return printList(
    options,
    async (request) => {
      const { stores: entries, next } = await office.call({ op: 'sync.list', ...request });
      return { entries, next };
    },
    {
      name: 'stores',
      text: (stores) =>
        table(
          ['store', 'fresh', 'last run', 'state', 'at', ''],
          stores.map(({ storeId, freshComplete, last, isOverdue }) => [
            storeId,
            freshComplete ? 'complete' : 'not complete',
            last?.kind ?? '-',
            last?.state ?? '-',
            last?.updatedAt ?? '-',
            isOverdue ? 'OVERDUE' : '',
          ]),
        ),
    },
  );
}

interface ManualOptions extends Common {
  readonly kind: string;
  readonly component?: readonly string[];
  readonly preview?: boolean;
  readonly takeOver?: boolean;
  readonly reason?: string;
  readonly replica?: string;
  readonly wait?: boolean;
}

async function manual(storeId: string, options: ManualOptions): Promise<void> {
  const { json, reason, replica, preview = false, takeOver = false } = options;
  const kind = oneOf<CommandKind>('--kind', COMMAND_KINDS, options.kind);
  const components = (options.component ?? []).map((name) => oneOf<ComponentName>('--component', COMPONENT_NAMES, name));
  await withStack(options, async ({ office }) => {
    const { command } = await office.call({
      op: 'sync.manual',
      storeId,
      kind,
      components,
      preview,
      takeOver,
      by: userInfo().username,
      ...(reason === undefined ? {} : { reason }),
      ...(replica === undefined ? {} : { replicaId: replica }),
    });
    const isAwaited = preview || options.wait === true;
    const seen = isAwaited ? await awaited(office, command) : command;
    print({ json: json === true }, { command: seen }, () => describeCommand(seen));
    if (seen.state === 'FAILED') process.exitCode = 1;
    else if (isAwaited && seen.state !== 'DONE') process.exitCode = 3;
  });
}

async function awaited(office: HeadOffice, command: Command): Promise<Command> {
  const until = Date.now() + PREVIEW_WAIT_MS;
  let seen = command;
  while (!isCommandOver(seen) && (Date.now() < until || seen.state === 'RUNNING')) {
    await sleep(WATCH_MS);
    const { command: now } = await office.call({ op: 'sync.command', storeId: command.storeId, commandId: command.commandId });
    if (now.state !== seen.state) say(`${command.kind} of ${command.storeId}: ${now.state}`);
    seen = now;
  }
  return seen;
}

async function watch(storeId: string, { json, timeout, ...where }: Common & { readonly timeout?: number }): Promise<void> {
  const until = timeout === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeout * 1_000;
  await withStack(where, async ({ office }) => {
    let told = '';
    for (;;) {
      const seen = await office.call({ op: 'sync.status', storeId });
      const [run] = seen.runs;
      if (seen.replicas.length === 0 && run === undefined) throw new SyncError('NOT_FOUND', noReplica(storeId));
      const line = progressOf(seen);
      if (line !== told) {
        if (json === true) process.stdout.write(`${JSON.stringify({ run: run ?? null, percent: seen.percent, etaMs: seen.etaMs })}\n`);
        else process.stdout.write(`${line}\n`);
        told = line;
      }
      const isOrdered = seen.commands.some((command) => !isCommandOver(command));
      if (run !== undefined && isOver(run) && !isOrdered && !isOutstanding(seen, run)) {
        process.exitCode = run.state.startsWith('COMPLETED') ? 0 : 1;
        return;
      }
      if (Date.now() >= until) {
        process.exitCode = 3;
        return;
      }
      await sleep(WATCH_MS);
    }
  });
}

const noReplica = (storeId: string) =>
  `store ${storeId} has no replica yet; \`storeline store code ${storeId}\` gives the code its agent enrols with`;

/** The agent thinks that it is there, and head office has not seen everything of it. */
function isOutstanding({ replicas }: Status, run: Run): boolean {
  const fresh = replicas.find(({ replicaId }) => replicaId === run.replicaId)?.fresh ?? null;
  return (
    run.kind === 'fresh' &&
    run.state.startsWith('COMPLETED') &&
    fresh?.runId === run.runId &&
    fresh.completeAt === null &&
    fresh.cancelledAt === null
  );
}

function progressOf({ runs: [run], percent, etaMs }: Status): string {
  if (run === undefined) return 'No run yet.';
  const at = run.components
    .filter(({ status: one }) => one === 'RUNNING' || one === 'PAUSED')
    .map(({ component, direction }) => `${component} ${direction.toLowerCase()}`);
  return [
    `${run.kind} ${run.state}`,
    percent === null ? '' : `${percent} %`,
    etaMs === null || isOver(run) ? '' : `about ${Math.ceil(etaMs / 1_000)} s left`,
    at.join(', '),
    run.failure === null ? '' : `${run.failure.reason}: ${run.failure.message}`,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function describeStatus(seen: Status): string {
  const { storeId, replicas, runs, commands, manualOffered } = seen;
  const lines = replicas.flatMap(({ replicaId, heardAt, isOverdue, expectedBy, storedThrough, appliedThrough, fresh, clock }) => [
    `${replicaId}: last heard ${heardAt ?? 'never'}${isOverdue ? `, OVERDUE since ${expectedBy}` : ''}; operations ${appliedThrough} of ${storedThrough} applied`,
    ...(clock?.isOff === true ? [`  its clock is off by ${describeSkew(clock.skewMs)}. ${clock.remedy ?? ''}`] : []),
    `  fresh run: ${fresh === null ? 'none yet' : fresh.completeAt !== null ? `complete at ${fresh.completeAt}` : fresh.cancelledAt !== null ? 'cancelled' : `not complete, checked ${fresh.checkedAt ?? 'not yet'}`}`,
    ...(fresh?.completeAt === null ? fresh.missing.map((missing) => `    missing: ${missing}`) : []),
  ]);
  if (replicas.length === 0) lines.push(noReplica(storeId));
  const [last] = runs;
  if (last !== undefined) lines.push('', `Last run: ${progressOf(seen)}`, componentTable(last));
  for (const command of commands.slice(0, 5)) lines.push('', describeCommand(command));
  if (manualOffered) lines.push('', `A manual sync is offered: storeline sync manual ${storeId} --preview`);
  return [`Store ${storeId}`, ...lines].join('\n');
}

function componentTable({ components }: Run): string {
  return table(
    ['component', '', 'status', 'done', 'meaning'],
    components
      .filter(({ status: one }) => one !== 'NOT_USED')
      .map((one) => [
        one.component,
        one.direction === 'UP' ? 'up' : 'down',
        one.status,
        one.total === null ? String(one.done) : `${one.done} of ${one.total}`,
        one.reason === null
          ? (statusTexts[one.status].remedy ?? '')
          : `${reasonTexts[one.reason].means} ${reasonTexts[one.reason].remedy ?? ''}`,
      ]),
  );
}

function describeCommand({ commandId, kind, components, preview, state, result, failure, createdAt }: Command): string {
  const lines = [
    `${preview ? 'Preview of ' : ''}${kind} ${components.join(', ') || 'everything'}: ${state} (${commandId}, of ${createdAt})`,
  ];
  for (const one of result?.components ?? [])
    lines.push(`  ${one.component}: ${one.add} to add, ${one.change} to change, ${one.remove} to remove, ${one.resent} to send again`);
  if (result !== null)
    lines.push(
      `  ${result.unsent} operations are not at head office yet; ${result.bytes} bytes, ${Math.ceil(result.seconds)} s, ${result.costUsd.toFixed(6)} USD`,
    );
  if (failure !== null) lines.push(`  ${failure.code}: ${failure.message}`);
  return lines.join('\n');
}

function oneOf<T extends string>(option: string, known: readonly T[], text: string): T {
  const found = known.find((one) => one.toLowerCase() === text.toLowerCase());
  if (found === undefined) throw new SyncError('INVALID_INPUT', `${option} is one of ${known.join(', ')}, not ${text}`);
  return found;
}
