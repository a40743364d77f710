import { limits } from '../../protocol/limits.ts';
import type { WriteOutcome } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { BoundedTasks } from '../../imports/bounded-tasks.ts';
import type { GeneratedRecord } from './generated-record.ts';

/** Generated records into main data, in batches per collection, a few at once, with bounded memory. */
export interface GenerateSummary {
  readonly records: Record<string, number>;
  written: number;
  unchanged: number;
}

const BATCHES_AT_ONCE = 4;

export async function writeGenerated(
  source: Iterable<GeneratedRecord>,
  write: (collection: string, puts: Record<string, unknown>[]) => Promise<WriteOutcome[]>,
  onProgress: (done: number) => void,
): Promise<GenerateSummary> {
  const summary: GenerateSummary = { records: {}, written: 0, unchanged: 0 };
  const batches = new Map<string, Record<string, unknown>[]>();
  const tasks = new BoundedTasks(BATCHES_AT_ONCE);
  const flush = async (collection: string, puts: Record<string, unknown>[]): Promise<void> => {
    for (const outcome of await write(collection, puts)) {
      if (outcome.outcome === 'rejected')
        throw new SyncError('INTERNAL', `generated ${collection} was rejected: ${JSON.stringify(outcome.issues)}`);
      summary[outcome.outcome] += 1;
    }
    onProgress(summary.written + summary.unchanged);
  };
  const send = async (collection: string) => {
    const puts = batches.get(collection) ?? [];
    batches.delete(collection);
    // Balances are opened before the entries that they hold already.
    if (collection === 'points_ledger') {
      if (batches.has('loyalty_summary')) await send('loyalty_summary');
      await tasks.drain();
    }
    await tasks.add(() => flush(collection, puts));
  };
  for (const { collection, record } of source) {
    summary.records[collection] = (summary.records[collection] ?? 0) + 1;
    const puts = batches.get(collection) ?? [];
    batches.set(collection, puts);
    puts.push(record);
    if (puts.length >= limits.writeBatchMax) await send(collection);
  }
  for (const collection of batches.keys()) if (batches.has(collection)) await send(collection);
  await tasks.drain();
  return summary;
}
