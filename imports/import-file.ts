import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import { limits } from '../protocol/limits.ts';
import type { WriteOutcome } from '../protocol/messages/console.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { BoundedTasks } from './bounded-tasks.ts';
import { refuseUnfitColumns, unknownFields } from './columns.ts';
import { defaultMapping } from './default-mapping.ts';
import { type MappedRecord, RowMapper } from './map-row.ts';
import type { Mapping } from './mapping.ts';
import { type ReadableRow, type SourceRow, isNdjson, readRows } from './read-rows.ts';
import { RejectsFile } from './rejects-file.ts';

/**
 * A file into main data, or into a store's outbox, streaming: memory does not grow with the file, but for one short text per different side
 * record (customers of bills) and per identity. Every row of the file is written, unchanged or rejected with a reason:
 * read = written + unchanged + rejected, always.
 */
export interface ImportOptions {
  readonly collection: string;
  readonly file: string;
  /** Of a SQLite file; the collection's name if it is not said. */
  readonly table?: string | undefined;
  /** null: columns are fields. */
  readonly mapping: Mapping | null;
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

interface Batch {
  readonly collection: string;
  readonly rows: SourceRow[];
  readonly records: Record<string, unknown>[];
  bytes: number;
}

const BATCHES_AT_ONCE = 4;

export async function importFile(options: ImportOptions): Promise<ImportSummary> {
  return new ImportRun(options).run();
}

/** Whether the file can be read and its columns are those that are needed; reads no further than its first good row. */
export async function checkFile({
  collection,
  file,
  table = collection,
  mapping,
}: Pick<ImportOptions, 'collection' | 'file' | 'table' | 'mapping'>): Promise<void> {
  for await (const { values } of readRows({ file, table })) {
    if (values === null) continue;
    checkColumns({ collection, file, mapping }, values);
    return;
  }
}

/** Rows of NDJSON leave out what they do not have. */
function checkColumns(options: Pick<ImportOptions, 'collection' | 'file' | 'mapping'>, values: ReadableRow['values']): void {
  if (!isNdjson(options.file)) refuseUnfitColumns(options, Object.keys(values));
}

class ImportRun {
  readonly #options: ImportOptions;
  readonly #mapper: RowMapper;
  readonly #rejects: RejectsFile;
  readonly #counts = new Map<string, Counts>();
  readonly #batches = new Map<string, Batch>();
  readonly #tasks = new BoundedTasks(BATCHES_AT_ONCE);
  /** Side records already sent, so that a customer with a hundred bills is sent once. */
  readonly #sent = new Set<string>();
  #full: Batch[] = [];
  #columnsChecked = false;
  #read = 0;

  constructor(options: ImportOptions) {
    const mapping = options.mapping ?? defaultMapping(options.collection);
    mkdirSync(options.rejectsDir, { recursive: true });
    this.#options = options;
    this.#mapper = new RowMapper(mapping);
    this.#rejects = new RejectsFile(join(options.rejectsDir, `${basename(options.file)}.rejects.csv`));
    for (const target of mapping.targets) this.#counts.set(target.collection, { written: 0, unchanged: 0, rejected: 0 });
  }

  async run(): Promise<ImportSummary> {
    try {
      for await (const row of readRows({ file: this.#options.file, table: this.#options.table ?? this.#options.collection })) {
        this.#read += 1;
        this.#take(row);
        if (this.#full.length > 0) await this.#writeFull();
        this.#options.onProgress(this.#read);
      }
      this.#full.push(...this.#batches.values());
      await this.#writeFull();
      await this.#tasks.drain();
    } catch (error) {
      this.#rejects.close();
      throw error;
    }
    return this.#summary(this.#rejects.close());
  }

  /** Bounded: reads on only while few batches wait. */
  async #writeFull(): Promise<void> {
    const full = this.#full;
    this.#full = [];
    for (const batch of full) await this.#tasks.add(() => this.#write(batch));
  }

  #take(row: SourceRow): void {
    const main = this.#options.collection;
    if (row.values === null) return this.#reject(main, row, [{ field: 'row', reason: row.reason }]);
    this.#checkColumns(row.values);
    const mapped = this.#map(row);
    if (!mapped.some((target) => target.collection === main))
      this.#reject(main, row, [{ field: 'row', reason: 'no target of the mapping applies' }]);
    for (const { collection, record, issues } of mapped) {
      if (record === null) this.#reject(collection, row, issues);
      else this.#add(collection, row, record);
    }
  }

  #map({ values }: ReadableRow): MappedRecord[] {
    const { collection, mapping } = this.#options;
    if (mapping !== null) return this.#mapper.map(asText(values));
    // Values with types of their own are the record as it is; head office judges them.
    if (!isText(values)) return [{ collection, record: values as MappedRecord['record'], issues: [] }];
    const issues = unknownFields(collectionOf(collection), values);
    return issues.length > 0 ? [{ collection, record: null, issues }] : this.#mapper.map(values);
  }

  /** What would reject every row is said once instead, before anything is written. */
  #checkColumns(values: Readonly<Record<string, unknown>>): void {
    if (this.#columnsChecked) return;
    this.#columnsChecked = true;
    checkColumns(this.#options, values);
  }

  #add(collection: string, row: SourceRow, record: Record<string, unknown>): void {
    const text = JSON.stringify(record);
    const bytes = Buffer.byteLength(text);
    if (collection !== this.#options.collection) {
      const known = `${collection} ${text}`;
      if (this.#sent.has(known)) return;
      this.#sent.add(known);
    }
    if (bytes > limits.recordBytesMax) {
      this.#reject(collection, row, [{ field: 'record', reason: `has ${bytes} bytes; ${limits.recordBytesMax} are possible` }]);
      return;
    }
    let batch = this.#batches.get(collection);
    if (batch !== undefined && (batch.rows.length >= limits.writeBatchMax || batch.bytes + bytes > limits.writeBatchBytesMax)) {
      this.#full.push(batch);
      batch = undefined;
    }
    if (batch === undefined) {
      batch = { collection, rows: [], records: [], bytes: 0 };
      this.#batches.set(collection, batch);
    }
    batch.rows.push(row);
    batch.records.push(record);
    batch.bytes += bytes;
  }

  async #write({ collection, rows, records }: Batch): Promise<void> {
    const outcomes = await this.#options.write(collection, records);
    if (outcomes.length !== rows.length)
      throw new SyncError('INTERNAL', `head office answered for ${outcomes.length} records of the ${rows.length} that were sent`);
    for (const [index, row] of rows.entries()) {
      const outcome = outcomes[index];
      if (outcome?.outcome === 'rejected') this.#reject(collection, row, outcome.issues);
      else if (outcome !== undefined) this.#count(collection)[outcome.outcome] += 1;
    }
  }

  #reject(collection: string, row: SourceRow, issues: readonly { field: string; reason: string }[]): void {
    this.#count(collection).rejected += 1;
    this.#rejects.add({ row: row.number, collection, issues, raw: row.values ?? row.raw });
  }

  #count(collection: string): Counts {
    const counts = this.#counts.get(collection) ?? { written: 0, unchanged: 0, rejected: 0 };
    this.#counts.set(collection, counts);
    return counts;
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
