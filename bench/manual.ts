import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { oneFresh } from './fresh.ts';
import { customerChange, range } from './records.ts';
import { AGENT_FLAGS, SeededCloud, runNode } from './seeded-cloud.ts';
import { type BenchResult, round } from './stats.ts';

/**
 * What does a manual repair transfer, and how long does it take, when some other program changed one row of many in the replica,
 * in place? Against the bytes of the whole snapshot. The preview reads the same and changes nothing.
 */
export async function benchManual({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const cloud = await SeededCloud.start();
  try {
    say(`filling the local cloud with ${rows} customers`);
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    await cloud.compact('Customer@org');
    const { data, bytes: whole } = await oneFresh(cloud, 'manual', rows);
    damage(join(data, 'replica.sqlite'), Math.floor(rows / 2));
    const repair = await manual(data, '--reason', 'bench');
    damage(join(data, 'replica.sqlite'), Math.floor(rows / 2));
    // What a preview fetched to compare stays for the repair.
    const preview = await manual(data, '--preview');
    const kept = await manual(data, '--reason', 'bench');
    const after = await manual(data, '--preview');
    if (preview.changed !== 1 || repair.changed !== 1 || kept.changed !== 1 || after.changed !== 0) throw new Error('it is not repaired');
    return {
      name: 'manual',
      ours: repair.bytes,
      limit: whole,
      ratio: round(repair.bytes / whole, 6),
      unit: 'bytes',
      rows,
      changed: 1,
      seconds: repair.seconds,
      wallSeconds: repair.wall,
      previewBytes: preview.bytes,
      previewWallSeconds: preview.wall,
      bytesAfterPreview: kept.bytes,
    };
  } finally {
    await cloud.close();
  }
}

function damage(file: string, index: number): void {
  const db = new DatabaseSync(file);
  const { changes } = db
    .prepare("UPDATE customer SET firstname = 'Eve' WHERE key = (SELECT key FROM customer ORDER BY key LIMIT 1 OFFSET ?)")
    .run(index);
  db.close();
  if (changes !== 1) throw new Error('no row was changed');
}

async function manual(data: string, ...more: string[]): Promise<{ changed: number; bytes: number; seconds: number; wall: number }> {
  const started = performance.now();
  const run = await runNode(['agent/main.ts', 'sync', 'manual', '--data', data, '--json', ...more], AGENT_FLAGS);
  const wall = round((performance.now() - started) / 1_000, 2);
  const { components, bytes, seconds } = JSON.parse(run.stdout) as {
    components: { add: number; change: number; remove: number }[];
    bytes: number;
    seconds: number;
  };
  const changed = components.reduce((sum, { add, change, remove }) => sum + add + change + remove, 0);
  return { changed, bytes, seconds, wall };
}
