import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Fields, keyOf } from '../../protocol/catalogue/record.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { withStack } from '../stack.ts';

/** Main data, record by record. */
interface Options extends OfficeOptions {
  readonly json?: boolean;
}

export function addRecordsCommand(program: Command): void {
  const records = program.command('records').description('look into main data and change it');
  withOfficeOptions(records.command('get <collection> <key>'))
    .description('show one record')
    .option('--json', 'as JSON')
    .action(async (name: string, key: string, options: Options) => {
      const collection = collectionOf(name);
      const { record } = await withStack(options, ({ office }) => office.call({ op: 'records.get', collection: collection.name, key }));
      if (record === null) throw new SyncError('NOT_FOUND', `${collection.name} ${key} does not exist`);
      print({ json: options.json === true }, record, () => JSON.stringify(record, null, 2));
    });
  withOfficeOptions(records.command('lost <collection> <key>'))
    .description('values of a record that lost a merge: what was said, by which replica, and what stayed')
    .option('--json', 'as JSON')
    .action(async (name: string, key: string, options: Options) => {
      const request = { op: 'records.lost' as const, collection: collectionOf(name).name, key };
      const answer = await withStack(options, ({ office }) => office.call(request));
      print({ json: options.json === true }, answer, () =>
        table(
          ['at', 'field', 'lost', 'stayed', 'said by'],
          answer.values.map(({ at, field, lost, kept, from }) => [at, field, String(lost), String(kept), from]),
        ),
      );
    });
  withOfficeOptions(records.command('put <collection> <json>'))
    .description('write one record, given as JSON or as @file')
    .option('--json', 'as JSON')
    .action((name: string, json: string, options: Options) => write(name, { puts: [readRecord(json)] }, options));
  withOfficeOptions(records.command('delete <collection> <key>'))
    .description('delete one record, given by its key or as JSON with its key fields')
    .option('--json', 'as JSON')
    .action((name: string, key: string, options: Options) => write(name, { deletes: [keyFrom(name, key)] }, options));
  withOfficeOptions(records.command('count <collection>'))
    .description('count live records')
    .option('--json', 'as JSON')
    .action(async (name: string, options: Options) => {
      const collection = collectionOf(name);
      const answer = await withStack(options, ({ office }) => office.call({ op: 'records.count', collection: collection.name }));
      print({ json: options.json === true }, answer, () => String(answer.count));
    });
}

async function write(name: string, edits: { puts?: Record<string, unknown>[]; deletes?: string[] }, options: Options): Promise<void> {
  const collection = collectionOf(name);
  const request = { op: 'records.write' as const, collection: collection.name, ...edits };
  const { outcomes } = await withStack(options, ({ office }) => office.call(request));
  const [outcome] = outcomes;
  if (outcome?.outcome === 'rejected')
    throw new SyncError('INVALID_INPUT', outcome.issues.map(({ field, reason }) => `${field}: ${reason}`).join('; '));
  print(
    { json: options.json === true },
    outcome,
    () => `${collection.name} ${outcome?.key ?? ''} ${outcome?.outcome ?? ''}, revision ${outcome?.rev ?? ''}`,
  );
}

function readRecord(text: string): Record<string, unknown> {
  const value = readJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyncError('INVALID_INPUT', 'a record is a JSON object');
  return value as Record<string, unknown>;
}

function keyFrom(name: string, text: string): string {
  if (!/^[{@]/.test(text)) return text;
  return keyOf(collectionOf(name), readRecord(text) as Fields);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text);
  } catch (error) {
    throw new SyncError('INVALID_INPUT', `not JSON: ${(error as Error).message}`, { cause: error });
  }
}
