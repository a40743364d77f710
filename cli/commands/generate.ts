import type { Command } from 'commander';
import { SyncError } from '../../protocol/sync-error.ts';
import { organizationRecords } from '../generate/organization.ts';
import { writeGenerated } from '../generate/write-generated.ts';
import { print, progressLine } from '../output.ts';
import { waitUntilIdle, withStack } from '../stack.ts';

/** A demo organization of any size; the same seed gives the same one, and a second run changes nothing. */
export function addGenerateCommand(program: Command): void {
  program
    .command('generate')
    .description('generate a demo organization into main data')
    .requiredOption('--customers <number>', 'number of customers; the rest follows in proportion')
    .option('--seed <number>', 'same seed, same organization', '1')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--aws', 'act by AWS credentials, whoever is signed in')
    .option('--json', 'as JSON')
    .action(async (options: { customers: string; seed: string; dir: string; aws?: boolean; json?: boolean }) => {
      const customers = wholeNumber('--customers', options.customers);
      const seed = wholeNumber('--seed', options.seed);
      const line = progressLine();
      const summary = await withStack(options, async (session) => {
        const done = await writeGenerated(
          organizationRecords(seed, customers),
          async (collection, puts) => (await session.office.call({ op: 'records.write', collection, puts })).outcomes,
          (count) => line.update(`${count} records`),
        );
        await waitUntilIdle(session);
        return done;
      });
      line.done();
      print({ json: options.json === true }, { customers, seed, ...summary }, () => {
        const total = Object.values(summary.records).reduce((sum, count) => sum + count, 0);
        return `${customers} customers, ${total} records: ${summary.written} written, ${summary.unchanged} unchanged`;
      });
    });
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new SyncError('INVALID_INPUT', `${option} is a whole number, not ${text}`);
  return value;
}
