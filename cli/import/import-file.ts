import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import pLimit from 'p-limit';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { limits } from '../../protocol/limits.ts';
import type { WriteOutcome } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { defaultMapping } from './default-mapping.ts';
import { RowMapper } from './map-row.ts';
import { type Mapping, readMapping } from './mapping.ts';
import { type SourceRow, readRows } from './read-rows.ts';
import { RejectsFile } from './rejects-file.ts';

/**
 * A file into main data, streaming: memory does not grow with the file, but for one short text per different side
 * record (customers of bills) and per identity. Every row of the file is written, unchanged or rejected with a reason:
 * read = written + unchanged + rejected, always.
 */
export interface ImportOptions {
  readonly collection: string;
  readonly file: string;
  /** Mapping file; without it columns are fields. */
  readonly map: string | undefined;
  /** Folder for the rejects file. */
  readonly rejectsDir: string;
  readonly write: (collection: string, puts: Record<string, unknown>[]) => Promise<WriteOutcome[]>;
  readonly onProgress: (read: number) => void;
}

export interface Counts {
  written: number;
  unchanged: number;
  rejected: number;
}

export interface ImportSummary extends Counts {
  readonly read: number;
  /** Where the rejected rows stand; null when there are none. */
  readonly rejectsFile: string | null;
  /** Other collections the mapping makes records of. */
  readonly also?: Record<string, Counts>;
}

interface Pending {
  readonly row: SourceRow;
  readonly record: Record<string, unknown>;
}

const BATCHES_AT_ONCE = 4;

export async function importFile(options: ImportOptions): Promise<ImportSummary> {
  const run = new ImportRun(
    options,
    options.map === undefined ? defaultMapping(options.collection) : readMapping(options.map, options.collection),
  );
  return run.run();
}

class ImportRun {
  readonly #options: ImportOptions;
  readonly #mapping: Mapping;
  readonly #mapper: RowMapper;
  readonly #rejects: RejectsFile;
  readonly #counts = new Map<string, Counts>();
  readonly #batches = new Map<string, { rows: Pending[]; bytes: number }>();
  readonly #limit = pLimit(BATCHES_AT_ONCE);
  /** Side records already sent, so that a customer with a hundred bills is sent once. */
  readonly #sent = new Set<string>();
  #read = 0;
  #failure: unknown;

  constructor(options: ImportOptions, mapping: Mapping) {
    collectionOf(options.collection);
    mkdirSync(options.rejectsDir, { recursive: true });
    this.#options = options;
    this.#mapping = mapping;
    this.#mapper = new RowMapper(mapping);
    this.#rejects = new RejectsFile(join(options.rejectsDir, `${basename(options.file)}.rejects.csv`));
    for (const target of mapping.targets) this.#counts.set(target.collection, { written: 0, unchanged: 0, rejected: 0 });
  }

  async run(): Promise<ImportSummary> {
    for await (const row of readRows(this.#options.file)) {
      if (row.number === 1) this.#refuseUnknownColumns(row);
      this.#read += 1;
      this.#take(row);
      // Bounded: read on only while few batches wait.
      while (this.#limit.activeCount + this.#limit.pendingCount >= BATCHES_AT_ONCE * 2)
        await new Promise((resolve) => setImmediate(resolve));
      if (this.#failure !== undefined) throw this.#failure;
      this.#options.onProgress(this.#read);
    }
    for (const collection of this.#batches.keys()) this.#flush(collection);
    while (this.#limit.activeCount + this.#limit.pendingCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.#failure !== undefined) throw this.#failure;
    return this.#summary(await this.#rejects.close());
  }

  #take(row: SourceRow): void {
    const main = this.#options.collection;
    if (row.values === null) return this.#reject(main, row, [{ field: 'row', reason: row.reason ?? 'cannot be read' }]);
    const values = row.values;
    const mapped =
      this.#options.map === undefined && !isText(values)
        ? [{ collection: main, record: values, issues: [] }]
        : this.#mapper.map(asText(values));
    if (!mapped.some((target) => target.collection === main))
      this.#reject(main, row, [{ field: 'row', reason: 'no target of the mapping applies' }]);
    for (const { collection, record, issues } of mapped) {
      if (record === null) this.#reject(collection, row, issues);
      else this.#add(collection, { row, record });
    }
  }

  #add(collection: string, pending: Pending): void {
    const text = JSON.stringify(pending.record);
    if (collection !== this.#options.collection) {
      const known = `${collection} ${text}`;
      if (this.#sent.has(known)) return;
      this.#sent.add(known);
    }
    let batch = this.#batches.get(collection);
    if (batch !== undefined && (batch.rows.length >= limits.writeBatchMax || batch.bytes + text.length > limits.writeBatchBytesMax)) {
      this.#flush(collection);
      batch = undefined;
    }
    if (batch === undefined) {
      batch = { rows: [], bytes: 0 };
      this.#batches.set(collection, batch);
    }
    batch.rows.push(pending);
    batch.bytes += text.length;
  }

  #flush(collection: string): void {
    const batch = this.#batches.get(collection);
    this.#batches.delete(collection);
    if (batch === undefined) return;
    void this.#limit(async () => {
      const outcomes = await this.#options.write(
        collection,
        batch.rows.map(({ record }) => record),
      );
      for (const [index, { row }] of batch.rows.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) throw new SyncError('INTERNAL', 'head office answered for fewer records than were sent');
        if (outcome.outcome === 'rejected') this.#reject(collection, row, outcome.issues);
        else this.#count(collection)[outcome.outcome] += 1;
      }
    }).catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  #reject(collection: string, row: SourceRow, issues: readonly { field: string; reason: string }[]): void {
    this.#count(collection).rejected += 1;
    this.#rejects.add({ row: row.number, collection, issues, raw: row.values });
  }

  #count(collection: string): Counts {
    const counts = this.#counts.get(collection) ?? { written: 0, unchanged: 0, rejected: 0 };
    this.#counts.set(collection, counts);
    return counts;
  }

  /** A column that is no field would reject every row; say so once instead. */
  #refuseUnknownColumns({ values }: SourceRow): void {
    if (values === null) return;
    const known = new Set(
      this.#options.map === undefined ? collectionOf(this.#options.collection).fields.map((field) => field.name) : columnsOf(this.#mapping),
    );
    const columns = Object.keys(values);
    if (this.#options.map === undefined) {
      const unknown = columns.filter((name) => !known.has(name));
      if (unknown.length > 0)
        throw new SyncError(
          'INVALID_INPUT',
          `${this.#options.collection} has no field ${unknown.join(', ')}; name the columns after fields or give a mapping with --map`,
        );
    } else {
      const missing = [...known].filter((name) => !columns.includes(name));
      if (missing.length > 0 && isText(values))
        throw new SyncError('INVALID_INPUT', `the mapping needs the columns ${missing.join(', ')}; the file has ${columns.join(', ')}`);
    }
  }

  #summary(rejectsFile: string | null): ImportSummary {
    const also = [...this.#counts].filter(([collection]) => collection !== this.#options.collection);
    return {
      read: this.#read,
      ...this.#count(this.#options.collection),
      rejectsFile,
      ...(also.length === 0 ? {} : { also: Object.fromEntries(also) }),
    };
  }
}

function isText(values: Readonly<Record<string, unknown>>): values is Record<string, string> {
  return Object.values(values).every((value) => typeof value === 'string');
}

function asText(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts = Object.entries(values).map(([name, value]): [string, string] => [
    name,
    typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value),
  ]);
  return Object.fromEntries(texts);
}

/** Every column a mapping reads. */
function columnsOf(mapping: Mapping): string[] {
  const columns = new Set<string>();
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [name, value] of Object.entries(part)) {
      if (name === 'column' && typeof value === 'string') columns.add(value);
      else if (name === 'of' && Array.isArray(value)) for (const column of value) columns.add(String(column));
      else visit(value);
    }
  };
  visit(mapping.targets);
  return [...columns];
}
