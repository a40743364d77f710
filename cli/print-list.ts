import { InvalidArgumentError, type Command } from 'commander';
import { limits } from '../protocol/limits.ts';
import { type OfficeOptions, withOfficeOptions } from './office-options.ts';
import { say } from './output.ts';

/**
 * Lists of any length, fetched part by part: as text the first `--limit` entries, as JSON all of them unless `--limit`
 * says otherwise, written while they come.
 */
export interface ListOptions extends OfficeOptions {
  readonly limit?: number;
  readonly after?: string;
  readonly json?: boolean;
}

export interface ListPart<T> {
  readonly entries: readonly T[];
  /** What to list after for more; null: that was all. */
  readonly next: string | null;
}

type Fetch<T> = (request: { limit: number; after?: string }) => Promise<ListPart<T>>;

/** As many lines as people look at. */
const TEXT_ENTRIES = 100;

export function withListOptions(command: Command): Command {
  return withOfficeOptions(command)
    .option('--limit <count>', `how many at most (default: ${TEXT_ENTRIES}, with --json all)`, countOf)
    .option('--after <id>', 'go on after this one')
    .option('--json', 'as JSON');
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 on.');
  return Number(text);
}

/** `name`: of the entries in the JSON object. */
export async function printList<T>(
  { limit, after, json }: ListOptions,
  fetch: Fetch<T>,
  { name, text, write = toStdout }: { name: string; text: (entries: readonly T[]) => string; write?: (text: string) => void },
): Promise<void> {
  const parts = partsOf(fetch, { after, most: limit ?? (json === true ? Number.POSITIVE_INFINITY : TEXT_ENTRIES) });
  let next: string | null = null;
  if (json !== true) {
    const entries: T[] = [];
    for await (const part of parts) {
      entries.push(...part.entries);
      ({ next } = part);
    }
    write(`${text(entries)}\n`);
    if (next !== null) say(`There is more: --after ${next}`);
    return;
  }
  let separator = `{${JSON.stringify(name)}:[`;
  for await (const part of parts) {
    for (const entry of part.entries) {
      write(`${separator}${JSON.stringify(entry)}`);
      separator = ',';
    }
    ({ next } = part);
  }
  write(`${separator === ',' ? '' : separator}],"next":${JSON.stringify(next)}}\n`);
}

function toStdout(text: string): void {
  process.stdout.write(text);
}

async function* partsOf<T>(fetch: Fetch<T>, { after, most }: { after: string | undefined; most: number }): AsyncGenerator<ListPart<T>> {
  let left = most;
  let start = after;
  do {
    const part = await fetch({ limit: Math.min(left, limits.listMax), ...(start === undefined ? {} : { after: start }) });
    yield part;
    left -= part.entries.length;
    start = part.next ?? undefined;
  } while (start !== undefined && left > 0);
}
