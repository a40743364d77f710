import { oneFresh } from './fresh.ts';
import { customerChange, range } from './records.ts';
import { AGENT_FLAGS, SeededCloud, runNode } from './seeded-cloud.ts';
import { type BenchResult, round } from './stats.ts';

/**
 * What does a store fetch when 10 records of many changed and it syncs fresh again from the new snapshot? Against the bytes
 * of the whole snapshot. Also how many chunks the compaction rewrote.
 */
const CHANGED = 10;

export async function benchRepair({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const cloud = await SeededCloud.start();
  try {
    say(`filling the local cloud with ${rows} customers`);
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    const first = await cloud.compact('Customer@org');
    const { data, bytes: whole } = await oneFresh(cloud, 'repair', rows);
    await cloud.append(
      'Customer@org',
      range(CHANGED, (index) => customerChange(Math.floor((index * rows) / CHANGED) + 7, 1)),
    );
    const second = await cloud.compact('Customer@org');
    const run = await runNode(['agent/main.ts', 'logon', '--data', data, '--wait', '--fresh', '--json'], AGENT_FLAGS);
    const { complete, seconds, transfer } = JSON.parse(run.stdout) as {
      complete: boolean;
      seconds: number;
      transfer: { bytes: number; chunksFetched: number; chunksSkipped: number };
    };
    if (!complete) throw new Error('the sync is not complete');
    return {
      name: 'repair',
      ours: transfer.bytes,
      limit: whole,
      ratio: round(transfer.bytes / whole, 4),
      unit: 'bytes',
      rows,
      changed: CHANGED,
      seconds,
      chunksFetched: transfer.chunksFetched,
      chunks: second?.chunks,
      chunksRewritten: second?.chunksWritten,
      chunksBefore: first?.chunks,
    };
  } finally {
    await cloud.close();
  }
}
