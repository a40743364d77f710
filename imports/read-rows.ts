import { type ReadStream, createReadStream } from 'node:fs';
import { access, constants, stat } from 'node:fs/promises';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { pipeline } from 'node:stream';
import { parse } from 'csv-parse';
import { SyncError } from '../protocol/sync-error.ts';

/** Rows of a CSV or NDJSON file, one after the other, whatever its size. Row 1 is the first row of data. */
export type SourceRow = ReadableRow | UnreadableRow;

export interface ReadableRow {
  readonly number: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A row of which nobody can say what it means: why, and the row as it came. */
interface UnreadableRow {
  readonly number: number;
  readonly values: null;
  readonly reason: string;
  readonly raw: unknown;
}

/** A row longer than this is a quote that was never closed, or a file without line feeds. */
const ROW_CHARS_MAX = 1 << 20;
const NOT_UTF8 = 'holds characters that are not UTF-8; save the file as UTF-8';

export function isNdjson(file: string): boolean {
  return /\.(ndjson|jsonl)$/i.test(file);
}

async function checkReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `the file ${file} does not exist or cannot be read`, { cause });
  }
  if ((await stat(file)).isDirectory()) throw new SyncError('INVALID_INPUT', `${file} is a folder, not a CSV, NDJSON or SQLite file`);
}

/** `table`: of a SQLite file. */
export interface Source {
  readonly file: string;
  readonly table: string;
}

export function isSqlite(file: string): boolean {
  return /\.(sqlite3?|db)$/i.test(file);
}

export async function* readRows({ file, table }: Source): AsyncGenerator<SourceRow> {
  await checkReadable(file);
  if (isNdjson(file)) yield* readNdjson(file);
  else if (isSqlite(file)) yield* readSqlite(file, table);
  else yield* readCsv(file);
}

/** Rows as text, as a CSV file would have them; the database is opened for reading and may be in use. */
function* readSqlite(file: string, table: string): Generator<SourceRow> {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name").all();
    const names = tables.map((row) => String(row['name']));
    if (!names.includes(table))
      throw new SyncError('INVALID_INPUT', `${file} has no table ${JSON.stringify(table)}; name one with --table: ${names.join(', ')}`);
    const statement = db.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}"`);
    statement.setReadBigInts(true);
    let number = 0;
    for (const row of statement.iterate()) {
      number += 1;
      yield sqliteRow(number, row);
    }
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    throw new SyncError('INVALID_INPUT', `${file} is no SQLite database that can be read: ${(cause as Error).message}`, { cause });
  } finally {
    db?.close();
  }
}

function sqliteRow(number: number, row: Readonly<Record<string, SQLOutputValue>>): SourceRow {
  const binary = Object.entries(row).find(([, value]) => value instanceof Uint8Array);
  if (binary !== undefined) return { number, values: null, reason: `column ${binary[0]} holds bytes`, raw: Object.keys(row) };
  return { number, values: Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? '' : String(value)])) };
}

/** The first line names the columns. A row with another number of cells is a reject, because nobody can say which cell is which. */
async function* readCsv(file: string): AsyncGenerator<SourceRow> {
  const parser = parse({ bom: true, relax_column_count: true, skip_empty_lines: true, max_record_size: ROW_CHARS_MAX });
  // What fails while reading ends the parser, and with it the loop below.
  pipeline(createReadStream(file), parser, () => undefined);
  let header: readonly string[] | null = null;
  let number = 0;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (header === null) {
        header = checkedHeader(file, cells);
        continue;
      }
      number += 1;
      yield csvRow(number, header, cells);
    }
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    const message = (cause as Error).message;
    throw new SyncError('INVALID_INPUT', `${file} is not CSV after row ${number}: ${message}. Rows before it may be imported already.`, {
      cause,
    });
  }
}

function checkedHeader(file: string, cells: readonly string[]): readonly string[] {
  const twice = cells.find((name, index) => cells.indexOf(name) !== index);
  if (twice !== undefined) throw new SyncError('INVALID_INPUT', `${file} has two columns named ${JSON.stringify(twice)}`);
  return cells;
}

function csvRow(number: number, header: readonly string[], cells: readonly string[]): SourceRow {
  if (cells.length !== header.length)
    return { number, values: null, reason: `has ${cells.length} cells and the header has ${header.length}`, raw: cells };
  if (cells.some((cell) => cell.includes('\uFFFD'))) return { number, values: null, reason: NOT_UTF8, raw: cells };
  return { number, values: Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])) };
}

async function* readNdjson(file: string): AsyncGenerator<SourceRow> {
  let number = 0;
  for await (const text of linesOf(file, createReadStream(file))) {
    const line = number === 0 ? text.replace(/^\uFEFF/, '') : text;
    if (line.trim() === '') continue;
    number += 1;
    yield parseLine(number, line);
  }
}

/** Lines end at a line feed and nowhere else: readline also cuts at U+2028, which may stand in JSON as it is. */
async function* linesOf(file: string, input: ReadStream): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const part of input.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > ROW_CHARS_MAX) throw new SyncError('INVALID_INPUT', `${file} has a line of more than ${ROW_CHARS_MAX} characters`);
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof SyncError) throw cause;
    throw new SyncError('INVALID_INPUT', `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  yield rest;
}

function parseLine(number: number, line: string): SourceRow {
  const unreadable = (reason: string): SourceRow => ({ number, values: null, reason, raw: line });
  if (line.includes('\uFFFD')) return unreadable(NOT_UTF8);
  try {
    const values = JSON.parse(line) as unknown;
    if (typeof values !== 'object' || values === null || Array.isArray(values)) return unreadable('is not a JSON object');
    return { number, values: values as Record<string, unknown> };
  } catch {
    return unreadable('is not JSON');
  }
}
