import pLimit from 'p-limit';
import { createSyncDeps, systemIo } from '../agent/agent-io.ts';
import { limits } from '../protocol/limits.ts';
import { costReportSchema, localStateSchema } from '../protocol/local-stack.ts';
import type { PlanRequest } from '../protocol/messages/plan.ts';
import { type Counts, costUsd, prices } from '../protocol/prices.ts';
import { customerChange, range } from './records.ts';
import { SeededCloud } from './seeded-cloud.ts';
import { type BenchResult, round } from './stats.ts';

/**
 * What does head office pay for keeping stores in step, and with what does that grow?
 *
 * An hour: the given number of changes of main data in four parts through the local cloud, and after each part a delta
 * of 1, 10, 100 and 1,000 stores. Requests go through the real API and functions; what they do at DynamoDB, S3 and SQS is
 * counted between the functions and the emulators. The stores here only follow their plans: a segment counts as one GET
 * with the bytes the plan says, because what a store does with it costs head office nothing.
 */
const FLEETS = [1, 10, 100, 1_000];
const PARTS = 4;
const AT_ONCE = 8;
const HOURS_A_MONTH = 730;
const STORES = 5_000;
const ROW_BYTES = 450;

export async function benchFleet({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const fleets: FleetResult[] = [];
  for (const stores of FLEETS) {
    const result = await oneFleet(stores, rows);
    fleets.push(result);
    say(
      `${stores} stores: ${result.readUnitsPerDelta} read units a delta, ${result.puts} PUTs, ${result.functionRuns} runs beside plans, ` +
        `${result.bytesPerRow} bytes a row, ${result.usdPerStoreMonth} USD a store and month`,
    );
  }
  const [one, most] = [fleets[0] as FleetResult, fleets.at(-1) as FleetResult];
  const lines = referenceLines(rows);
  say(
    `${STORES} stores, a month: ours ${most.usdForFleet}, every store reading DynamoDB ${lines.readingDynamo}, smallest possible ${lines.smallest} USD`,
  );
  return {
    name: 'fleet',
    ours: most.readUnitsPerDelta,
    limit: one.readUnitsPerDelta,
    ratio: round(most.readUnitsPerDelta / one.readUnitsPerDelta),
    unit: 'read units a delta, 1,000 stores against 1',
    rows,
    fleets,
    usdFor5000StoresAMonth: { ours: most.usdForFleet, ...lines },
  };
}

interface FleetResult {
  readonly stores: number;
  readonly readUnitsPerDelta: number;
  /** Beside main data: what the changes themselves bring about. */
  readonly writeUnits: number;
  readonly puts: number;
  readonly functionRuns: number;
  readonly bytesPerRow: number;
  /** Of what deltas cost: bytes that leave the region. */
  readonly egressShare: number;
  readonly usdPerStoreMonth: number;
  /** Deltas of 5,000 stores, and the changes once. */
  readonly usdForFleet: number;
}

export async function oneFleet(stores: number, rows: number): Promise<FleetResult> {
  const cloud = await SeededCloud.start();
  try {
    const fleet = await Fleet.open(cloud, stores);
    await fleet.deltas();
    const start = await cost(cloud);
    const deltas: Counts[] = [];
    for (let part = 0; part < PARTS; part += 1) {
      await write(cloud, Math.floor(rows / PARTS), part);
      const before = await cost(cloud);
      const loaded = fleet.loaded;
      await fleet.deltas();
      const asked = difference(await cost(cloud), before, ['plan', 'store']);
      const segments = { 's3.gets': fleet.loaded.segments - loaded.segments, 'egress.bytes': fleet.loaded.bytes - loaded.bytes };
      deltas.push(asked, segments);
    }
    const end = await cost(cloud);
    const made = difference(end, start, ['feed-writer', 'compact']);
    const delta = sum(deltas);
    const usd = costUsd(delta);
    const perStoreHour = usd / stores;
    return {
      stores,
      readUnitsPerDelta: round((delta['dynamodb.readUnits'] ?? 0) / (stores * PARTS)),
      writeUnits: Math.round(made['dynamodb.writeUnits'] ?? 0),
      puts: made['s3.puts'] ?? 0,
      functionRuns: made['lambda.requests'] ?? 0,
      bytesPerRow: round((delta['egress.bytes'] ?? 0) / (stores * rows), 1),
      egressShare: round(((delta['egress.bytes'] ?? 0) * prices['egress.bytes'].usd) / usd, 3),
      usdPerStoreMonth: round(perStoreHour * HOURS_A_MONTH, 3),
      usdForFleet: Math.round((perStoreHour * STORES + costUsd(made)) * HOURS_A_MONTH),
    };
  } finally {
    await cloud.close();
  }
}

/** Stores that only follow their plans: each has its own cursors, all of them one identity. */
class Fleet {
  loaded = { segments: 0, bytes: 0 };
  readonly #cursors: PlanRequest['feeds'][];
  readonly #deps: Awaited<ReturnType<typeof createSyncDeps>>;

  private constructor(stores: number, deps: Awaited<ReturnType<typeof createSyncDeps>>) {
    this.#cursors = Array.from({ length: stores }, () => []);
    this.#deps = deps;
  }

  static async open(cloud: SeededCloud, stores: number): Promise<Fleet> {
    const data = await cloud.enrol('fleet');
    return new Fleet(stores, await createSyncDeps(systemIo(new AbortController().signal), data, 'json'));
  }

  async deltas(): Promise<void> {
    const limit = pLimit(AT_ONCE);
    await Promise.all(this.#cursors.map((_, store) => limit(() => this.#delta(store))));
  }

  async #delta(store: number): Promise<void> {
    for (let more = true; more;) {
      more = false;
      const { feeds } = await this.#deps.cloud.plan({ feeds: this.#cursors[store] ?? [] });
      this.#cursors[store] = feeds.flatMap((plan): PlanRequest['feeds'] => {
        const { feed } = plan;
        // Feeds that are new and empty: a store has a snapshot of nothing, which is left out here.
        if (plan.action === 'wait' || plan.action === 'reconcile')
          return [{ feed, generation: plan.generation, position: 0, want: 'tail' }];
        if (plan.action === 'leave') return [];
        more ||= plan.more;
        this.loaded = {
          segments: this.loaded.segments + plan.segments.length,
          bytes: this.loaded.bytes + plan.segments.reduce((bytes, segment) => bytes + segment.bytes, 0),
        };
        const last = plan.pages.at(-1)?.position ?? plan.segments.at(-1)?.through;
        const standing = this.#cursors[store]?.find((cursor) => cursor.feed === feed)?.position ?? 0;
        return [{ feed, generation: plan.generation, position: last ?? standing, want: 'tail' }];
      });
    }
  }
}

async function write(cloud: SeededCloud, rows: number, part: number): Promise<void> {
  const { office } = cloud;
  const limit = pLimit(AT_ONCE);
  const puts = [...range(rows, (index) => customerChange(part * rows + index))].map(({ key, fields }) => ({ ...fields, user_id: key }));
  const calls: Promise<unknown>[] = [];
  for (let at = 0; at < puts.length; at += limits.writeBatchMax) {
    const some = puts.slice(at, at + limits.writeBatchMax);
    calls.push(limit(() => office.call<'records.write'>({ op: 'records.write', collection: 'customer', puts: some })));
  }
  await Promise.all(calls);
  while (!localStateSchema.parse(await (await fetch(`${cloud.stack.api}/_local/state`)).json()).idle)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

type Operations = ReadonlyMap<string, Counts>;

async function cost(cloud: SeededCloud): Promise<Operations> {
  const report = costReportSchema.parse(await (await fetch(`${cloud.stack.api}/_local/cost`)).json());
  return new Map(report.operations.map(({ name, counts }) => [name, counts as Counts]));
}

function difference(after: Operations, before: Operations, names: readonly string[]): Counts {
  const negative = (counts: Counts = {}): Counts => Object.fromEntries(Object.entries(counts).map(([metric, count]) => [metric, -count]));
  return sum(names.flatMap((name) => [after.get(name) ?? {}, negative(before.get(name))]));
}

function sum(all: readonly Counts[]): Counts {
  const totals: Record<string, number> = {};
  for (const counts of all) for (const [metric, count] of Object.entries(counts)) totals[metric] = (totals[metric] ?? 0) + count;
  return totals;
}

/** USD a month for 5,000 stores that ask four times an hour, by arithmetic from list prices. */
function referenceLines(changes: number): { readingDynamo: number; smallest: number } {
  const egress = STORES * changes * 100;
  const reading: Counts = {
    'dynamodb.readUnits': (STORES * changes * ROW_BYTES) / 8_192,
    'api.requests': STORES * PARTS,
    'lambda.requests': STORES * PARTS,
    'egress.bytes': egress,
  };
  const smallest: Counts = { 's3.gets': STORES * PARTS, 's3.puts': PARTS, 'lambda.requests': PARTS, 'egress.bytes': egress };
  return { readingDynamo: Math.round(costUsd(reading) * HOURS_A_MONTH), smallest: Math.round(costUsd(smallest) * HOURS_A_MONTH) };
}
