import { join } from 'node:path';
import type { Command } from 'commander';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { type ImportSummary, checkFile, importFile } from '../../imports/import-file.ts';
import { readMapping } from '../../imports/mapping.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, progressLine } from '../output.ts';
import { waitUntilIdle, withStack } from '../stack.ts';

/** CSV and NDJSON into main data. */
export function addImportCommand(program: Command): void {
  withOfficeOptions(program.command('import <collection> <file>'))
    .description('import a CSV, NDJSON or SQLite file into main data')
    .option('--table <name>', 'table of a SQLite file (default: named as the collection)')
    .option('--map <file>', 'mapping from columns to fields (docs/import.md)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  npm run -s storeline -- import bill examples/online-retail-bills.csv --map examples/online-retail-bills.map.json --dir .storeline/cloud',
    )
    .action(async (collection: string, file: string, options: OfficeOptions & { map?: string; table?: string; json?: boolean }) => {
      // What can be known to be wrong is said before a stack is started.
      collectionOf(collection);
      const mapping = options.map === undefined ? null : readMapping(options.map, collection);
      const { table } = options;
      await checkFile({ collection, file, table, mapping });
      const line = progressLine();
      const summary = await withStack(options, async (session) => {
        const done = await importFile({
          collection,
          file,
          table,
          mapping,
          rejectsDir: join(options.dir ?? join('.storeline', options.org ?? ''), 'imports'),
          write: async (name, puts) => (await session.office.call({ op: 'records.write', collection: name, puts })).outcomes,
          onProgress: (read) => line.update(`${read} rows read`),
        });
        await waitUntilIdle(session);
        return done;
      });
      line.done();
      print({ json: options.json === true }, summary, () => describe(summary));
    });
}

function describe(summary: ImportSummary): string {
  const also = Object.entries(summary.also ?? {}).map(
    ([collection, counts]) =>
      `\n  also ${collection}: ${counts.written} written, ${counts.unchanged} unchanged, ${counts.rejected} rejected`,
  );
  const rejects = summary.rejectsFile === null ? '' : `\nRejected rows and why: ${summary.rejectsFile}`;
  return `${summary.read} rows: ${summary.written} written, ${summary.unchanged} unchanged, ${summary.rejected} rejected${also.join('')}${rejects}`;
}
