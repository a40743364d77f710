import { join } from 'node:path';
import { type Issue } from '../protocol/catalogue/record.ts';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import type { WriteOutcome } from '../protocol/messages/console.ts';
import { isSyncError } from '../protocol/sync-error.ts';
import { checkFile, importFile } from '../imports/import-file.ts';
import { readMapping } from '../imports/mapping.ts';
import { type AgentIo, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import type { StoreRecords } from './outbox/store-records.ts';
import { withStore } from './outbox/with-store.ts';

/**
 * What a store has in other files already (CSV, NDJSON, SQLite) is recorded here and goes up with the next sync. A record
 * that this store or head office has with the same content is none again.
 */
export interface ImportCommandOptions {
  readonly data: string;
  readonly map?: string;
  readonly table?: string;
  readonly json?: boolean;
}

export async function importCommand(
  io: AgentIo,
  where: { readonly collection: string; readonly file: string },
  options: ImportCommandOptions,
): Promise<ExitCode> {
  const { collection, file } = where;
  const { data, table } = options;
  collectionOf(collection);
  requireIdentity(dataPaths(data).identity);
  const mapping = options.map === undefined ? null : readMapping(options.map, collection);
  await checkFile({ collection, file, table, mapping });
  const summary = await importFile({
    collection,
    file,
    table,
    mapping,
    rejectsDir: join(dataPaths(data).folder, 'imports'),
    write: (name, puts) => {
      io.signal.throwIfAborted();
      return Promise.resolve(withStore(io, data, ({ records }) => puts.map((put) => outcomeOf(records, name, put))));
    },
    onProgress: (read) => {
      if (read % 10_000 === 0) io.stderr.write(`${read} rows read\n`);
    },
  });
  if (options.json === true) printJson(io, summary);
  else
    io.stdout.write(
      `${summary.read} rows: ${summary.written} recorded, ${summary.unchanged} known already, ${summary.rejected} rejected${summary.rejectsFile === null ? '' : ` (${summary.rejectsFile})`}\n`,
    );
  return exitCodes.fine;
}

function outcomeOf(records: StoreRecords, collection: string, put: Record<string, unknown>): WriteOutcome {
  try {
    const { key, seq, opId } = records.put(collection, put, { hasHappened: true });
    return opId === null ? { outcome: 'unchanged', key, rev: 0 } : { outcome: 'written', key, rev: seq ?? 0 };
  } catch (error) {
    const issues = isSyncError(error) ? (error.details?.['issues'] as Issue[] | undefined) : undefined;
    // A full disk, a damaged outbox: not of this record, so the import ends.
    if (issues === undefined) throw error;
    return { outcome: 'rejected', issues };
  }
}
