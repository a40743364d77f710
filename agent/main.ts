import { text as textOf } from 'node:stream/consumers';
import { Command, CommanderError, Option } from 'commander';
import { SYNC_MINUTES } from '../protocol/store-settings.ts';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { AGENT_VERSION, type AgentIo, systemIo } from './agent-io.ts';
import { type EnrolOptions, enrolCommand } from './command-enrol.ts';
import { type LogonOptions, logonCommand } from './command-logon.ts';
import { type ImportCommandOptions, importCommand } from './command-import.ts';
import { type LookupOptions, lookupCommand } from './command-lookup.ts';
import { type OutboxOptions, outboxCommand } from './command-outbox.ts';
import { type RecordsOptions, countRecordsCommand, deleteRecordCommand, getRecordCommand, putRecordCommand } from './command-records.ts';
import { type RedeemOptions, redeemCommand } from './command-redeem.ts';
import { type RunOptions, runCommand } from './command-run.ts';
import { type StatusOptions, statusCommand } from './command-status.ts';
import { type ManualOptions, manualCommand } from './command-sync.ts';
import { type VerifyCommandOptions, verifyCommand } from './command-verify.ts';
import { correlationLine } from './transport/correlation.ts';
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts';

/**
 * The store agent's command line. JSON on stdout alone, everything else on stderr.
 *
 * Exit codes: 0 fine, 1 failed, 2 wrong use, 3 not complete yet, 4 not authorized. SIGTERM and SIGINT end a run
 * quickly with 3; the next one goes on from there. A second signal ends it at once, which loses nothing either.
 */
export async function main(argv: readonly string[], io: AgentIo): Promise<ExitCode> {
  let code: ExitCode = exitCodes.fine;
  const program = createProgram(io, (result) => (code = result));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUse;
    if (io.signal.aborted) {
      io.stderr.write('Stopped. The next run goes on from here.\n');
      return exitCodes.notComplete;
    }
    if (!isSyncError(error)) throw error;
    io.stderr.write(`${error.code}: ${error.message}\n${correlationLine(error)}`);
    return exitCodeOf(error);
  }
}

function dataOption(): Option {
  return new Option('--data <folder>', 'data folder of this store, on a local disk').makeOptionMandatory();
}

function jsonOption(): Option {
  return new Option('--json', 'print one JSON object on stdout');
}

function progressOption(): Option {
  return new Option('--progress <style>', 'progress on stderr').choices(['auto', 'json']);
}

async function codeOf({ code }: EnrolOptions): Promise<string> {
  return code === '-' ? (await textOf(process.stdin)).trim() : code;
}

/** `done`: with what it ends. */
export function createProgram(io: AgentIo, done: (code: ExitCode) => void): Command {
  const program = new Command('agent')
    .description('Keeps this store in step with head office.')
    .version(AGENT_VERSION)
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .addHelpText('after', '\nExit codes: 0 fine, 1 failed, 2 wrong use, 3 not complete yet, 4 not authorized.');
  program
    .command('enrol')
    .description('make this data folder a replica of a store')
    .requiredOption('--api <url>', "head office's address")
    .requiredOption('--code <code>', 'one-time code from head office; - reads it from standard input, where no list of processes shows it')
    .addOption(dataOption())
    .option('--again', 'also if this folder is enrolled: head office no longer knows it. What it recorded stays')
    .addOption(jsonOption())
    .action(async (options: EnrolOptions) => done(await enrolCommand(io, { ...options, code: await codeOf(options) })));
  program
    .command('logon')
    .description('sync once: everything the first time, what changed after that')
    .addOption(dataOption())
    .option('--wait', 'go on until every component is complete')
    .option('--fresh', 'prove everything again against the newest snapshots; fetches only what differs')
    .addOption(jsonOption())
    .addOption(progressOption())
    .action(async (options: LogonOptions) => done(await logonCommand(io, options)));
  program
    .command('delta')
    .description('sync what changed; refused before the first sync is complete')
    .addOption(dataOption())
    .addOption(jsonOption())
    .addOption(progressOption())
    .action(async (options: LogonOptions) => done(await logonCommand(io, { ...options, wait: true, deltaOnly: true })));
  program
    .command('run')
    .description('keep the store in step until stopped: at the start and then on a schedule')
    .addOption(dataOption())
    .addOption(new Option('--every <minutes>', 'minutes between syncs, whatever head office says').choices(SYNC_MINUTES.map(String)))
    .option('--port <port>', 'serve the local API for the till on this port of 127.0.0.1 (0: any free one)')
    .addOption(new Option('--json', 'one JSON object a line for each sync'))
    .addOption(progressOption())
    .action(async (options: RunOptions) => done(await runCommand(io, options)));
  program
    .command('status')
    .description('what this store has, and whether it is known to be right')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((options: StatusOptions) => done(statusCommand(io, options)));
  program
    .command('verify')
    .description('compare this replica with head office')
    .addOption(dataOption())
    .option('--deep', 'compare every value, not only revisions')
    .option('--repair', 'replace what differs')
    .addOption(jsonOption())
    .addOption(progressOption())
    .action(async (options: VerifyCommandOptions) => done(await verifyCommand(io, options)));
  addSyncCommand(program, io, done);
  addRecordCommands(program, io, done);
  return program;
}

function addSyncCommand(program: Command, io: AgentIo, done: (code: ExitCode) => void): void {
  const sync = program.command('sync').description("the store's own Sync window");
  sync
    .command('manual')
    .description('repair what differs, load components again, or send again what was recorded here')
    .addOption(dataOption())
    .option('--kind <kind>', 'repair, resend or re-upload', 'repair')
    .option('--component <name...>', 'only these components')
    .option('--preview', 'say what it would do, and do nothing')
    .option('--take-over', 'stop what is under way instead of waiting for it')
    .option('--reason <text>', 'why, when the last run did not fail')
    .addOption(jsonOption())
    .addOption(progressOption())
    .action(async (options: ManualOptions) => done(await manualCommand(io, options)));
}

function addRecordCommands(program: Command, io: AgentIo, done: (code: ExitCode) => void): void {
  program
    .command('lookup <customer>')
    .description("a customer who is not in this store's working set, by id or identifier; kept for a day, also without a network")
    .addOption(dataOption())
    .option('--type <type>', 'what was given is not an id but a mobile, email, external-id or card')
    .option('--source <source>', 'source of the identifier (default: INSTORE)')
    .option('--account <account>', 'account of the source (default: -)')
    .addOption(jsonOption())
    .action(async (asked: string, options: LookupOptions) => done(await lookupCommand(io, asked, options)));
  program
    .command('redeem <collection> <json>')
    .description('spend points or a coupon now, by the word of head office: JSON of a points_redemption or coupon_redemption, or @file')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(async (collection: string, record: string, options: RedeemOptions) =>
      done(await redeemCommand(io, collection, { ...options, record })),
    );
  program
    .command('import <collection> <file>')
    .description('record what another file of this store has: CSV, NDJSON or SQLite; it goes up with the next sync')
    .addOption(dataOption())
    .option('--map <file>', 'mapping from columns to fields')
    .option('--table <name>', 'table of a SQLite file (default: named as the collection)')
    .addOption(jsonOption())
    .action(async (collection: string, file: string, options: ImportCommandOptions) =>
      done(await importCommand(io, { collection, file }, options)),
    );
  program
    .command('outbox')
    .description('what this store recorded, and what became of it')
    .addOption(dataOption())
    .option('--status <status>', 'only these')
    .option('--limit <count>', 'at most this many', '100')
    .option('--after <id>', 'the ones after this one')
    .addOption(jsonOption())
    .action((options: OutboxOptions) => done(outboxCommand(io, options)));
  const records = program.command('records').description('look into what this store has, and record what it does');
  records
    .command('put <collection> <json>')
    .description('record a new or changed record: JSON, or @file; fields that are not named stay, null takes one away')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((collection: string, record: string, options: RecordsOptions) =>
      done(putRecordCommand(io, collection, { ...options, record })),
    );
  records
    .command('delete <collection> <record>')
    .description('record that a record is deleted: its key, or JSON or @file that its key is made of')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((collection: string, key: string, options: RecordsOptions) => done(deleteRecordCommand(io, { collection, key }, options)));
  records
    .command('get <collection> <key>')
    .description('one record')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((collection: string, key: string, options: RecordsOptions) => done(getRecordCommand(io, { collection, key }, options)));
  records
    .command('count <collection>')
    .description('how many records a collection has')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((collection: string, options: RecordsOptions) => done(countRecordsCommand(io, collection, options)));
}

if (import.meta.main) {
  // Whoever reads what is printed may have seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exitCodes.fine : exitCodes.failed));
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.notComplete);
      controller.abort(new SyncError('NOT_COMPLETE', 'stopped by a signal'));
    });
  }
  process.exitCode = await main(process.argv.slice(2), systemIo(controller.signal));
}
