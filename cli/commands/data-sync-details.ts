import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { COMPONENT_NAMES, type ComponentName } from '../../protocol/catalogue/types.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { detailsAsCsv } from '../../protocol/sync-details/csv.ts';
import { detailsAsMarkdown } from '../../protocol/sync-details/markdown.ts';
import { type SyncDetails, syncDetailsSchema } from '../../protocol/sync-details/schema.ts';
import { syncDetails } from '../../protocol/sync-details/sync-details.ts';
import { say } from '../output.ts';

/** What is kept in step, attribute by attribute, to read, to print or for another program. Needs no head office. */
interface Options {
  readonly format?: string;
  readonly component?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const RENDER = {
  md: detailsAsMarkdown,
  json: (details: SyncDetails) => `${JSON.stringify(syncDetailsSchema.parse(details), null, 2)}\n`,
  csv: detailsAsCsv,
} as const;
type Format = keyof typeof RENDER;

export function addDataSyncDetailsCommand(program: Command): void {
  program
    .command('data-sync-details')
    .description('every component with its attributes, the statuses they can have, and what is updated in each direction')
    .option('--format <format>', 'md to read and print, json for programs, csv for spreadsheets (default: md)')
    .option('--component <name>', 'of this component only')
    .option('--out <file>', 'into this file instead of standard output')
    .option('--json', 'the same as --format json')
    .action((options: Options) => {
      const only = componentOf(options.component);
      const text = RENDER[formatOf(options)](syncDetails(only === undefined ? {} : { only }));
      if (options.out === undefined) process.stdout.write(text);
      else writeOut(options.out, text);
    });
}

function formatOf({ format, json }: Options): Format {
  const wanted = format ?? (json === true ? 'json' : 'md');
  if (!Object.hasOwn(RENDER, wanted)) throw new SyncError('INVALID_INPUT', `--format is ${Object.keys(RENDER).join(', ')}, not ${wanted}`);
  if (json === true && wanted !== 'json') throw new SyncError('INVALID_INPUT', `--json and --format ${wanted} exclude each other`);
  return wanted as Format;
}

/** Upper and lower case are the same, because nobody remembers them. */
function componentOf(name: string | undefined): ComponentName | undefined {
  if (name === undefined) return undefined;
  const known = COMPONENT_NAMES.find((one) => one.toLowerCase() === name.toLowerCase());
  if (known === undefined)
    throw new SyncError('INVALID_INPUT', `there is no component ${JSON.stringify(name)}; there are ${COMPONENT_NAMES.join(', ')}`);
  return known;
}

function writeOut(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
  say(`${file} written.`);
}
