import type { Command } from 'commander';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { print } from '../output.ts';
import { withStack } from '../stack.ts';

/** Main data, record by record. */
interface Options {
  readonly dir: string;
  readonly json?: boolean;
}

export function addRecordsCommand(program: Command): void {
  const records = program.command('records').description('look into main data');
  records
    .command('get <collection> <key>')
    .description('show one record')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(async (name: string, key: string, options: Options) => {
      const collection = collectionOf(name);
      const { record } = await withStack(options.dir, ({ office }) => office.call({ op: 'records.get', collection: collection.name, key }));
      if (record === null) throw new SyncError('NOT_FOUND', `${collection.name} ${key} does not exist`);
      print({ json: options.json === true }, record, () => JSON.stringify(record, null, 2));
    });
  records
    .command('count <collection>')
    .description('count live records')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(async (name: string, options: Options) => {
      const collection = collectionOf(name);
      const answer = await withStack(options.dir, ({ office }) => office.call({ op: 'records.count', collection: collection.name }));
      print({ json: options.json === true }, answer, () => String(answer.count));
    });
}
