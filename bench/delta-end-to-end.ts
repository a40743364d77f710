import { createSyncDeps, systemIo } from '../agent/agent-io.ts';
import { runSync } from '../agent/sync/run-sync.ts';
import type { HeadOffice } from '../cli/head-office.ts';
import { limits } from '../protocol/limits.ts';
import { customerChange, range } from './records.ts';
import { SeededCloud } from './seeded-cloud.ts';
import { median, percentile, round } from './stats.ts';

/**
 * How long after head office wrote something does a waiting store have it, and what does a delta with nothing in it cost?
 *
 * Everything is the product's own through the local cloud: `console-api` → stream → `feed-writer` → `plan` → agent. The
 * store waits by asking again at once, so what is measured is the way and not the schedule.
 */
const EMPTY_TURNS = 100;
const CASES = [
  { changed: 1, repetitions: 30 },
  { changed: 1_000, repetitions: 5 },
  { changed: 10_000, repetitions: 1 },
];

interface Turn {
  readonly ms: number;
  readonly rows: number;
  readonly requests: number;
  readonly bytes: number;
}

export async function deltaEndToEnd(rows: number, say: (line: string) => void): Promise<Record<string, unknown>> {
  const cloud = await SeededCloud.start();
  try {
    say(`filling the local cloud with ${rows} customers`);
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    await cloud.compact('Customer@org');
    const store = await WaitingStore.complete(cloud);
    const results: Record<string, unknown> = { empty: await store.emptyDeltas() };
    for (const { changed, repetitions } of CASES) {
      const took: number[] = [];
      for (let turn = -1; turn < repetitions; turn += 1) {
        const ms = await store.until(changed, turn + 1);
        if (turn >= 0 || repetitions === 1) took.push(ms);
        if (repetitions === 1) break;
      }
      const result = { p50Ms: round(median(took)), p99Ms: round(percentile(took, 99)), repetitions: took.length };
      results[changed] = result;
      say(`${changed} written at head office, visible in the store: p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms`);
    }
    return results;
  } finally {
    await cloud.close();
  }
}

class WaitingStore {
  readonly #data: string;
  readonly #office: HeadOffice;
  readonly #io = systemIo(new AbortController().signal);

  private constructor(data: string, office: HeadOffice) {
    this.#data = data;
    this.#office = office;
  }

  static async complete(cloud: SeededCloud): Promise<WaitingStore> {
    return new WaitingStore(await cloud.complete('waiting'), cloud.office);
  }

  async emptyDeltas(): Promise<Record<string, number>> {
    const turns: Turn[] = [];
    for (let turn = 0; turn < EMPTY_TURNS; turn += 1) turns.push(await this.#delta());
    const ms = turns.map((turn) => turn.ms);
    return {
      p50Ms: round(median(ms)),
      p99Ms: round(percentile(ms, 99)),
      requests: Math.max(...turns.map(({ requests }) => requests)),
      bytes: median(turns.map(({ bytes }) => bytes)),
    };
  }

  /** Milliseconds from before the first write to after the transaction that made the last row visible. */
  async until(changed: number, turn: number): Promise<number> {
    const puts = [...range(changed, (index) => customerChange(index * 7 + turn, turn + 1))].map(({ key, fields }) => ({
      ...fields,
      user_id: key,
    }));
    const started = performance.now();
    const writes: Promise<number>[] = [];
    for (let at = 0; at < puts.length; at += limits.writeBatchMax) writes.push(this.#write(puts.slice(at, at + limits.writeBatchMax)));
    let expected = changed;
    // A row that was so already is not written.
    const written = Promise.all(writes).then((counts) => (expected = counts.reduce((sum, count) => sum + count, 0)));
    for (let seen = 0; seen < expected; seen += (await this.#delta()).rows);
    const took = performance.now() - started;
    await written;
    return took;
  }

  async #write(puts: Record<string, unknown>[]): Promise<number> {
    const request = { op: 'records.write' as const, collection: 'customer', puts };
    const { outcomes } = await this.#office.call<'records.write'>(request);
    return outcomes.filter(({ outcome }) => outcome === 'written').length;
  }

  async #delta(): Promise<Turn> {
    const deps = await createSyncDeps(this.#io, this.#data, 'json');
    const started = performance.now();
    const { changes, outstanding } = await runSync(deps, { wait: true });
    if (outstanding.length > 0) throw new Error('the store is not complete');
    const rows = [...changes.values()].reduce((sum, count) => sum + count, 0);
    return { ms: performance.now() - started, rows, requests: deps.count.requests, bytes: deps.count.bytes };
  }
}
