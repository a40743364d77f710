import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { v7 as uuidv7 } from 'uuid';
import { agentLimits } from '../agent/agent-limits.ts';
import { OutboxFile } from '../agent/outbox/outbox-file.ts';
import { type BenchResult, median, percentile, round } from './stats.ts';

/**
 * Does a till notice that its store was without a network for 30 days? A busy grocery store records about 35,000 operations a
 * day (domain page, section 4: 2,500 bills with their lines and payments), which is 1,050,000. The limit is the same
 * write into an outbox that is empty.
 */
const WRITES = 500;

export function benchOutbox({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'storeline-outbox-'));
  try {
    const [empty, full] = [join(folder, 'empty.sqlite'), join(folder, 'full.sqlite')];
    const limit = withOutbox(empty, (outbox) => writes(outbox));
    fill(full, rows);
    const measured = withOutbox(full, (outbox) => ({
      write: writes(outbox),
      unsentMs: timed(() => outbox.unsentCount()),
      nextBatchMs: timed(() => outbox.unsent(99)),
      openMs: timed(() => outbox.countOpen()),
      standingMs: timed(() => outbox.standing()),
    }));
    close(full, agentLimits.outboxPurgeMax);
    const purge = withOutbox(full, (outbox) => {
      let purged = 0;
      const ms = timed(() => (purged = outbox.purge(2)));
      return { purged, ms };
    });
    const bytes = statSync(full).size;
    say(`${rows} operations wait: ${Math.round(bytes / 1e6)} MB; a write p50 ${measured.write.p50Ms} ms, p99 ${measured.write.p99Ms} ms`);
    const { p50Ms } = measured.write;
    return Promise.resolve({
      name: 'outbox',
      ours: p50Ms,
      limit: limit.p50Ms,
      ratio: round(p50Ms / limit.p50Ms),
      unit: 'ms for a durable local write, p50, while everything of 30 days waits',
      rows,
      bytes,
      empty: limit,
      ...measured,
      purge,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function withOutbox<T>(path: string, run: (outbox: OutboxFile) => T): T {
  const outbox = OutboxFile.open(path, 'S1:r');
  try {
    return run(outbox);
  } finally {
    outbox.close();
  }
}

function writes(outbox: OutboxFile) {
  const took = Array.from({ length: WRITES }, (_, index) => {
    const operation = {
      collection: 'bill',
      key: `new/${index}`,
      kind: 'put' as const,
      fields: { amount: '12.5', note: 'x'.repeat(200) },
      base: 0,
    };
    return timed(() => outbox.record(operation, { now: Date.now(), opId: uuidv7() }, () => operation));
  });
  return { p50Ms: round(median(took)), p99Ms: round(percentile(took, 99)) };
}

function timed(run: () => unknown): number {
  const started = performance.now();
  run();
  return round(performance.now() - started);
}

/** As receipts leave the first of them. */
function close(path: string, count: number): void {
  const db = new DatabaseSync(path);
  db.exec(`UPDATE entry SET status = 'ACCEPTED', receipt = '{}', settled_at = 1 WHERE seq <= ${count}`);
  db.close();
}

/** As a month of recording leaves it; a month of fsyncs would be another question. */
function fill(path: string, rows: number): void {
  withOutbox(path, () => {});
  const db = new DatabaseSync(path);
  db.exec('PRAGMA synchronous = OFF');
  db.exec(`
    INSERT INTO entry (replica_id, seq, op_id, collection, key, operation, status, captured_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    SELECT 'S1:r', i, printf('%08x-0000-7000-8000-%012d', i, i), 'bill_line', 'T1/' || i,
      json_object('seq', i, 'opId', printf('%08x-0000-7000-8000-%012d', i, i), 'collection', 'bill_line', 'key', 'T1/' || i, 'kind', 'put',
        'fields', json_object('amount', '12.5', 'note', printf('%0200d', i)), 'base', 0, 'clock', i, 'chain', printf('%064d', i)),
      'PENDING', 1700000000000
    FROM n`);
  db.close();
}
