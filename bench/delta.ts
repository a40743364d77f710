import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPage } from '../agent/replica/apply-page.ts';
import { BulkInsert } from '../agent/replica/bulk-insert.ts';
import { openLive } from '../agent/replica/replica-file.ts';
import { createIndexes, dropIndexes } from '../agent/replica/replica-schema.ts';
import { Replica } from '../agent/replica/replica.ts';
import { layoutOf } from '../agent/replica/table-layout.ts';
import { PAGE_LEVEL, pack, unpack } from '../codec/pack.ts';
import { groupForPages, pageSections } from '../core/feed/page-sections.ts';
import type { FeedChange } from '../core/feed/route-change.ts';
import { limits } from '../protocol/limits.ts';
import { type PutSection, type Section, type WireValue, encodeSections, readSections } from '../protocol/sections.ts';
import { rng, sortedIndexes } from './floor/records.ts';
import { customerChange } from './records.ts';
import { deltaEndToEnd } from './delta-end-to-end.ts';
import { type BenchResult, median, percentile, round } from './stats.ts';

/**
 * How long does a store take to apply what changed, durably, and does that depend on how much it holds?
 *
 * Ours: packed pages in memory → unpack → parse → decide by `rev` → write, cursor in the same transaction, WAL and
 * `synchronous=FULL`, on a real file with the three indexes of `customer`. Floor: the same rows, parsed already, as
 * multi-row upserts into a copy of the same file, one transaction, as durable, no decisions and no cursor. Interleaved,
 * on the same random keys. Indexed columns stay as they are unless the case says so. With more than 300,000 rows, the
 * same once more with 300,000, to compare. Then the whole way through a local cloud (`delta-end-to-end.ts`).
 */
const SMALL_ROWS = 300_000;
const FEED = 'Customer@org';
const LOAD_ROWS = 20_000;
const FLOOR_ROWS_PER_STATEMENT = 50;

type Shape = 'pages' | 'run';

interface Case {
  readonly name: string;
  readonly changed: number;
  readonly repetitions: number;
  /** As the pages of batches, or folded into one sealed run. */
  readonly shape: Shape;
  readonly reindexed?: boolean;
  /** Every page comes a second time, and that is what is measured. */
  readonly repeated?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'nothing new in 1,000', changed: 1_000, repetitions: 40, shape: 'pages', repeated: true },
  { name: '1', changed: 1, repetitions: 200, shape: 'pages' },
  { name: '1,000', changed: 1_000, repetitions: 40, shape: 'pages' },
  { name: '1,000 with another external id', changed: 1_000, repetitions: 20, shape: 'pages', reindexed: true },
  { name: '50,000 in one sealed run', changed: 50_000, repetitions: 5, shape: 'run' },
  { name: '50,000 in pages', changed: 50_000, repetitions: 5, shape: 'pages' },
];

interface CaseResult {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly floorP50Ms: number;
  readonly floorP99Ms: number;
  /** Ours against the floor, medians; below 1 is faster than the floor. */
  readonly ratio: number;
  readonly repetitions: number;
}

export async function benchDelta({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const sizes = rows > SMALL_ROWS ? [SMALL_ROWS, rows] : [rows];
  const apply: Record<string, Record<string, CaseResult>> = {};
  for (const size of sizes) apply[size] = await applyCases(size, say);
  const of = (size: number, name: string) => apply[size]?.[name] as CaseResult;
  const thousand = of(sizes[0] as number, '1,000');
  return {
    name: 'delta',
    ours: thousand.p50Ms,
    limit: thousand.floorP50Ms,
    ratio: thousand.ratio,
    unit: 'ms for 1,000 changed rows, p50',
    rows,
    apply,
    endToEnd: await deltaEndToEnd(SMALL_ROWS, say),
    ...(sizes.length === 2
      ? { growth: Object.fromEntries(CASES.map(({ name }) => [name, round(of(rows, name).p50Ms / of(SMALL_ROWS, name).p50Ms)])) }
      : {}),
  };
}

async function applyCases(rows: number, say: (line: string) => void): Promise<Record<string, CaseResult>> {
  const work = mkdtempSync(join(tmpdir(), 'storeline-delta-'));
  try {
    say(`filling a replica with ${rows} customers`);
    const [path, floorPath] = [join(work, 'replica.sqlite'), join(work, 'floor.sqlite')];
    fill(path, rows);
    copyFileSync(path, floorPath);
    const bench = new ApplyBench(rows, new Replica(openLive(path)), openLive(floorPath));
    const results: Record<string, CaseResult> = {};
    for (const one of CASES) {
      const result = await bench.run(one);
      results[one.name] = result;
      say(`${one.name} of ${rows}: p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms; floor ${result.floorP50Ms} ms; ratio ${result.ratio}`);
    }
    bench.close();
    return results;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fill(path: string, rows: number): void {
  const replica = new Replica(openLive(path));
  const { db } = replica;
  const insert = new BulkInsert(db);
  dropIndexes(db, 'customer');
  const indexes = sortedIndexes(rows);
  for (let start = 0; start < rows; start += LOAD_ROWS) {
    const [section] = pageSections(indexes.slice(start, start + LOAD_ROWS).map((index) => customerChange(index))) as [PutSection];
    replica.transaction(() => insert.insertRows(section, section.rows));
  }
  createIndexes(db, 'customer');
  db.exec(
    `INSERT INTO _feed (feed, component, scope, head, head_generation, generation, position, rows)
     VALUES ('${FEED}', 'Customer', 'org', 0, 'bench', 'bench', 0, ${rows})`,
  );
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  replica.close();
}

class ApplyBench {
  readonly #rows: number;
  readonly #replica: Replica;
  readonly #floor: Upsert;
  readonly #random = rng(7);
  #rev = 0;
  #position = 0;

  constructor(rows: number, replica: Replica, floor: DatabaseSync) {
    this.#rows = rows;
    this.#replica = replica;
    this.#floor = new Upsert(floor);
  }

  async run(one: Case): Promise<CaseResult> {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let turn = -1; turn < one.repetitions; turn += 1) {
      const pages = this.#changedPages(one).map(pageSections);
      const bodies = await Promise.all(pages.map((sections) => pack(encodeSections(sections), PAGE_LEVEL)));
      if (one.repeated === true) await this.#apply(bodies);
      const took = await this.#apply(bodies);
      const floorTook = this.#floor.run(pages);
      // The first one warms up.
      if (turn < 0) continue;
      ours.push(took);
      floor.push(floorTook);
    }
    const [p50Ms, floorP50Ms] = [median(ours), median(floor)];
    return {
      p50Ms: round(p50Ms),
      p99Ms: round(percentile(ours, 99)),
      floorP50Ms: round(floorP50Ms),
      floorP99Ms: round(percentile(floor, 99)),
      ratio: round(p50Ms / floorP50Ms),
      repetitions: one.repetitions,
    };
  }

  close(): void {
    this.#replica.close();
    this.#floor.db.close();
  }

  async #apply(bodies: readonly Uint8Array[]): Promise<number> {
    const started = performance.now();
    for (const body of bodies) {
      const text = await unpack(body, { rawBytesMax: limits.chunkRawBytesMax });
      const position = this.#position + 1;
      applyPage(this.#replica, {
        feed: FEED,
        generation: 'bench',
        after: this.#position,
        position,
        sections: readSections(text),
        asOf: null,
      });
      this.#position = position;
    }
    return performance.now() - started;
  }

  #changedPages({ changed, shape, reindexed }: Case): FeedChange[][] {
    this.#rev += 1;
    const indexes = new Set<number>();
    while (indexes.size < changed) indexes.add(Math.floor(this.#random() * this.#rows));
    const changes = [...indexes].map((index) => (reindexed === true ? customerChange(index, this.#rev) : visit(index, this.#rev)));
    const rowsMax = shape === 'run' ? changed : limits.pageRowsMax;
    const rawBytesMax = shape === 'run' ? Infinity : limits.pageRawBytesMax;
    return groupForPages(changes, { rowsMax, rawBytesMax }).get(FEED) ?? [];
  }
}

/** A customer bought something: labels and time change, what customers are looked up by does not. */
function visit(index: number, rev: number): FeedChange {
  const change = customerChange(index, rev);
  return { ...change, fields: { ...change.fields, external_id: String(index + 1) } };
}

/** The floor: the way to write rows that everybody knows, done well. */
class Upsert {
  readonly db: DatabaseSync;
  readonly #columns = layoutOf('customer').columns;

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  run(pages: readonly (readonly Section[])[]): number {
    const rows = pages.flatMap((sections) => (sections as readonly PutSection[]).flatMap((section) => this.#bindable(section)));
    const [many, one] = [this.#statement(FLOOR_ROWS_PER_STATEMENT), this.#statement(1)];
    const started = performance.now();
    this.db.exec('BEGIN IMMEDIATE');
    let at = 0;
    for (; at + FLOOR_ROWS_PER_STATEMENT <= rows.length; at += FLOOR_ROWS_PER_STATEMENT)
      many.run(...rows.slice(at, at + FLOOR_ROWS_PER_STATEMENT).flat());
    for (; at < rows.length; at += 1) one.run(...(rows[at] as WireValue[]));
    this.db.exec('COMMIT');
    return performance.now() - started;
  }

  #bindable({ columns, rows }: PutSection): WireValue[][] {
    const at = this.#columns.map((column) => columns.indexOf(column) + 2);
    return rows.map((row) => [row[0], row[1], ...at.map((index) => (index < 2 ? null : (row[index] ?? null)))]);
  }

  #statement(rows: number) {
    const names = ['key', 'rev', ...this.#columns].map((name) => `"${name}"`);
    const row = `(${names.map(() => '?').join(', ')})`;
    const set = names.slice(1).map((name) => `${name} = excluded.${name}`);
    return this.db.prepare(
      `INSERT INTO customer (${names.join(', ')}) VALUES ${Array.from({ length: rows }, () => row).join(', ')}
       ON CONFLICT ("key") DO UPDATE SET ${set.join(', ')}`,
    );
  }
}
