import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { OPEN_STATUSES, type Receipt } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { withListOptions } from '../print-list.ts';
import { withStack } from '../stack.ts';
import { listStreamQuarantine } from './feeds.ts';

/**
 * What stores recorded and head office could not take: `exceptions` is the list that people decide from (value spent
 * twice, the same key with other content); `quarantine` looks at one, mends and replays it, or closes it with a reason.
 */
interface ListOptions extends OfficeOptions {
  readonly status?: (typeof OPEN_STATUSES)[number];
  readonly store?: string;
  readonly limit: string;
  readonly after?: string;
  readonly json?: boolean;
}

interface Options extends OfficeOptions {
  readonly json?: boolean;
}

export function addExceptionsCommand(program: Command): void {
  const exceptions = program.command('exceptions').description('what people have to decide about uploads of stores');
  addList(exceptions.command('list').description('uploads that stand against something else, with what they stand against'), 'CONFLICT');
  const quarantine = program.command('quarantine').description('uploads that are not applied: look, mend and replay, or discard');
  addList(quarantine.command('list').description('uploads that are not applied, oldest first'));
  withListOptions(
    quarantine.command('stream').description("changes of main data that could not be put into a feed, newest last; not a store's uploads"),
  ).action(listStreamQuarantine);
  withOfficeOptions(quarantine.command('show <opId>'))
    .description('one of them, with what it says, why it is not applied and what to do')
    .option('--json', 'as JSON')
    .action(async (opId: string, options: Options) => {
      const { exception, remedy } = await withStack(options, ({ office }) => office.call({ op: 'exceptions.show', opId }));
      print(
        { json: options.json === true },
        { ...exception, remedy },
        () => `${JSON.stringify(exception, null, 2)}\n\nWhat to do: ${remedy}.`,
      );
    });
  withOfficeOptions(quarantine.command('replay <opId>'))
    .description('judge it again, with mended values if they are given')
    .option('--fields <json>', 'values to put in place of its own, as JSON or @file; null takes one away')
    .option('--reason <text>', 'why; with --fields it has to be said')
    .option('--json', 'as JSON')
    .action(async (opId: string, options: Options & { fields?: string; reason?: string }) => {
      const fields = options.fields === undefined ? {} : { fields: readFields(options.fields) };
      const reason = options.reason === undefined ? {} : { reason: options.reason };
      const request = { op: 'exceptions.replay' as const, opId, by: userInfo().username, ...fields, ...reason };
      const { receipt } = await withStack(options, ({ office }) => office.call(request));
      printReceipt(options, receipt);
    });
  withOfficeOptions(quarantine.command('approve <opId>'))
    .description('say yes to what waits for that: an identifier goes to the customer who claims it')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'as JSON')
    .action(async (opId: string, options: Options & { reason: string }) => {
      const request = { op: 'exceptions.replay' as const, opId, approve: true, reason: options.reason, by: userInfo().username };
      const { receipt } = await withStack(options, ({ office }) => office.call(request));
      printReceipt(options, receipt);
    });
  withOfficeOptions(quarantine.command('discard <opId>'))
    .description('close it unsent; it stays in the record of what happened')
    .requiredOption('--reason <text>', 'why')
    .option('--replaced-by <record>', 'the record that stands in its place, as collection/key')
    .option('--json', 'as JSON')
    .action(async (opId: string, options: Options & { reason: string; replacedBy?: string }) => {
      const replacedBy = options.replacedBy === undefined ? {} : { replacedBy: addressOf(options.replacedBy) };
      const request = { op: 'exceptions.discard' as const, opId, reason: options.reason, by: userInfo().username, ...replacedBy };
      const { receipt } = await withStack(options, ({ office }) => office.call(request));
      print({ json: options.json === true }, receipt, () => `${opId} closed: ${receipt.status}.`);
    });
}

function printReceipt({ json }: Options, receipt: Receipt): void {
  print({ json: json === true }, receipt, () => `${receipt.status}${receipt.reason === undefined ? '' : `: ${receipt.reason}`}`);
}

function addressOf(text: string): { collection: string; key: string } {
  const at = text.indexOf('/');
  if (at < 1 || at === text.length - 1) throw new SyncError('INVALID_INPUT', '--replaced-by is collection/key, such as bill/T1/17');
  return { collection: text.slice(0, at), key: text.slice(at + 1) };
}

function addList(command: Command, fixed?: (typeof OPEN_STATUSES)[number]): void {
  if (fixed === undefined) command.addOption(new Option('--status <status>', 'only these').choices([...OPEN_STATUSES]));
  withOfficeOptions(command)
    .option('--store <id>', 'only of this store')
    .option('--limit <count>', 'at most this many', '100')
    .option('--after <opId>', 'the ones after this one')
    .option('--json', 'as JSON')
    .action(async ({ status = fixed, store, limit, after, json, ...where }: ListOptions) => {
      const count = Number(limit);
      if (!Number.isInteger(count) || count < 1 || count > 500) throw new SyncError('INVALID_INPUT', '--limit is a number from 1 to 500');
      const request = {
        op: 'exceptions.list' as const,
        limit: count,
        ...(status === undefined ? {} : { status }),
        ...(store === undefined ? {} : { storeId: store }),
        ...(after === undefined ? {} : { after }),
      };
      const answer = await withStack(where, ({ office }) => office.call(request));
      print({ json: json === true }, answer, () => {
        const rows = answer.exceptions.map(({ opId, storeId, operation, receipt, against, waitsFor }) => [
          opId,
          storeId,
          receipt.status,
          `${operation.collection}/${operation.key}`,
          receipt.reason ?? '',
          [...against, ...(waitsFor === null ? [] : [waitsFor])].join(', '),
        ]);
        const more = answer.next === null ? '' : `\n\nThere are more: --after ${answer.next}`;
        return `${table(['operation', 'store', 'status', 'record', 'reason', 'against or waits for'], rows)}${more}`;
      });
    });
}

function readFields(text: string): Record<string, string | number | boolean | null> {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text) as Record<
      string,
      string | number | boolean | null
    >;
  } catch (error) {
    throw new SyncError('INVALID_INPUT', `--fields is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
