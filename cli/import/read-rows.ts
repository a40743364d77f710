import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { SyncError } from '../../protocol/sync-error.ts';

/** Rows of a CSV or NDJSON file, one after the other, whatever its size. Row 1 is the first row of data. */
export interface SourceRow {
  readonly number: number;
  /** null: the row cannot be read; `reason` says why. */
  readonly values: Readonly<Record<string, unknown>> | null;
  readonly reason?: string;
}

export async function* readRows(file: string): AsyncGenerator<SourceRow> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `the file ${file} does not exist or cannot be read`, { cause });
  }
  if (/\.(ndjson|jsonl)$/i.test(file)) yield* readNdjson(file);
  else yield* readCsv(file);
}

/** The first line names the columns. A row with another number of cells is a reject, because nobody can say which cell is which. */
async function* readCsv(file: string): AsyncGenerator<SourceRow> {
  const parser = createReadStream(file).pipe(parse({ bom: true, relax_column_count: true, skip_empty_lines: true }));
  let header: readonly string[] | null = null;
  let number = 0;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (header === null) {
        header = cells;
        continue;
      }
      number += 1;
      if (cells.length === header.length)
        yield { number, values: Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])) };
      else yield { number, values: null, reason: `has ${cells.length} cells and the header has ${header.length}` };
    }
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `${file} is not CSV after row ${number}: ${(cause as Error).message}`, { cause });
  }
}

async function* readNdjson(file: string): AsyncGenerator<SourceRow> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    number += 1;
    yield parseLine(number, line);
  }
}

function parseLine(number: number, line: string): SourceRow {
  try {
    const values = JSON.parse(line) as unknown;
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { number, values: values as Record<string, unknown> };
    return { number, values: null, reason: 'is not a JSON object' };
  } catch {
    return { number, values: null, reason: 'is not JSON' };
  }
}
