import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { oneFresh } from './fresh.ts';
import { customerChange, range } from './records.ts';
import { AGENT_FLAGS, SeededCloud, runNode } from './seeded-cloud.ts';
import { type BenchResult, median, round } from './stats.ts';

/**
 * How long does it take to prove that a replica of equal rows is equal? Against counting the rows by reading every key and
 * revision in SQL, which is the least any proof over them must do.
 */
const ROUNDS = 3;

export async function benchVerify({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const cloud = await SeededCloud.start();
  try {
    say(`filling the local cloud with ${rows} customers`);
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    await cloud.compact('Customer@org');
    const { data } = await oneFresh(cloud, 'verify', rows);
    const ours: number[] = [];
    const limit: number[] = [];
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      limit.push(scan(join(data, 'replica.sqlite'), rows));
      const { equal, seconds } = JSON.parse((await runNode(['agent/main.ts', 'verify', '--data', data, '--json'], AGENT_FLAGS)).stdout) as {
        equal: boolean;
        seconds: number;
      };
      if (!equal) throw new Error('the replica is not equal');
      ours.push(seconds);
      say(`round ${turn + 1}: ${seconds} s, scan ${limit.at(-1)} s`);
    }
    return {
      name: 'verify',
      ours: round(median(ours), 3),
      limit: round(median(limit), 3),
      ratio: round(median(limit) / median(ours)),
      unit: 's',
      rows,
      rounds: ours,
    };
  } finally {
    await cloud.close();
  }
}

function scan(file: string, rows: number): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const started = performance.now();
  const found = db.prepare('SELECT sum(length("key")) AS bytes, max("rev") AS revs, count(*) AS rows FROM customer').get();
  const seconds = (performance.now() - started) / 1_000;
  db.close();
  if (Number(found?.['rows']) !== rows) throw new Error('the replica does not hold the rows');
  return round(seconds, 3);
}
