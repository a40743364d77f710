import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { v7 as uuidv7 } from 'uuid';
import { createCloudApi, systemIo } from '../agent/agent-io.ts';
import { OutboxFile } from '../agent/outbox/outbox-file.ts';
import { type LargeUploads, pushOutbox } from '../agent/outbox/push-outbox.ts';
import { withStore } from '../agent/outbox/with-store.ts';
import { requireIdentity } from '../agent/identity.ts';
import { chainAfter } from '../codec/operation-chain.ts';
import { CHAIN_START } from '../protocol/operation.ts';
import { costReportSchema } from '../protocol/local-stack.ts';
import { SeededCloud } from './seeded-cloud.ts';
import { type BenchResult, median, percentile, round } from './stats.ts';

/**
 * How fast does a till have its write on disk, how fast is it at head office with a receipt, and what does that cost: in batches,
 * and as objects?
 *
 * The store is the product's own through the local cloud: outbox → push → inbox → doorbell → apply → receipt. The limit for
 * the local write is the same bytes into a plain table of the same durability, with the hash that the chain needs.
 */
const POISON_OPERATIONS = 10_000;
/** As often as it takes to see when they are there, and not so often that asking is what is measured. */
const RECEIPTS_POLL_MS = 200;
const IN_BATCHES: LargeUploads = { operationsMin: Number.POSITIVE_INFINITY, operationsMax: 0 };

export async function benchUp({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const cloud = await SeededCloud.start();
  try {
    const data = await cloud.complete('up');
    const write = record(data, rows, 'a');
    const plain = plainInserts(join(cloud.dir, 'plain.sqlite'), rows);
    say(`${rows} writes of a till: p50 ${write.p50Ms} ms, p99 ${write.p99Ms} ms; plain insert p50 ${plain.p50Ms} ms`);
    const inBatches = await backlog(cloud, { data, rows, large: IN_BATCHES });
    say(`all of them at head office with receipts, in batches: ${inBatches.line}`);
    record(data, rows, 'o');
    const asObjects = await backlog(cloud, { data, rows });
    say(`as many again as objects: ${asObjects.line}`);
    record(data, POISON_OPERATIONS, 'b');
    const clean = await drain(data);
    record(data, POISON_OPERATIONS / 2, 'c');
    poison(data);
    record(data, POISON_OPERATIONS / 2, 'd');
    const withPoison = await drain(data);
    const [rest, restWith] = [clean.receipts, withPoison.receipts];
    say(`${POISON_OPERATIONS} operations, from sending to each one’s receipt: p50 ${rest.p50Ms} ms, p99 ${rest.p99Ms} ms`);
    say(`with a malformed customer among them, the others: p50 ${restWith.p50Ms} ms, p99 ${restWith.p99Ms} ms`);
    return {
      name: 'up',
      ours: write.p50Ms,
      limit: plain.p50Ms,
      ratio: round(write.p50Ms / plain.p50Ms),
      unit: 'ms for a durable local write, p50',
      rows,
      local: write,
      plain,
      inBatches: inBatches.counted,
      asObjects: asObjects.counted,
      poison: {
        operations: POISON_OPERATIONS,
        without: rest,
        with: restWith,
        ratioP50: round(restWith.p50Ms / rest.p50Ms),
        ratioP99: round(restWith.p99Ms / rest.p99Ms),
      },
    };
  } finally {
    await cloud.close();
  }
}

const billOf = (id: string) => ({
  till_code: 'T1',
  bill_client_id: id,
  type: 'NOT_INTERESTED',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'Europe/London',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: 'up',
});

interface Times {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

function timesOf(took: readonly number[]): Times {
  return { p50Ms: round(median(took)), p99Ms: round(percentile(took, 99)) };
}

/** As a till does it through the running agent. */
function record(data: string, rows: number, name: string): Times {
  const deps = { clock: { now: () => Date.now() }, ids: { next: () => uuidv7() } };
  return withStore(deps, data, ({ records }) => {
    const took: number[] = [];
    for (let index = 0; index < rows; index += 1) {
      const started = performance.now();
      records.put('bill', billOf(`${name}${index}`));
      took.push(performance.now() - started);
    }
    return timesOf(took);
  });
}

/** One that capture would have refused, as an older or damaged agent might send it. */
function poison(data: string): void {
  const outbox = OutboxFile.open(join(data, 'outbox.sqlite'), requireIdentity(join(data, 'identity.json')).replicaId);
  try {
    const fields = { user_id: 'poison', firstname: 'x'.repeat(5_000), loyalty_type: 'NOBODY', dob: 'yesterday' };
    const operation = { collection: 'customer', key: 'poison/er', kind: 'put' as const, fields, base: 0 };
    outbox.record(operation, { now: Date.now(), opId: uuidv7() }, () => operation);
  } finally {
    outbox.close();
  }
}

function plainInserts(path: string, rows: number): Times {
  const db = new DatabaseSync(path);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (id INTEGER PRIMARY KEY, operation TEXT NOT NULL) STRICT',
  );
  const insert = db.prepare('INSERT INTO entry (operation) VALUES (?)');
  const took: number[] = [];
  let chain = CHAIN_START;
  for (let index = 0; index < rows; index += 1) {
    const started = performance.now();
    const unchained = {
      seq: index + 1,
      opId: uuidv7(),
      collection: 'bill',
      key: `T1/${index}`,
      kind: 'put' as const,
      fields: billOf(`p${index}`),
      base: 0,
      clock: index,
    };
    chain = chainAfter(chain, unchained);
    insert.run(JSON.stringify({ ...unchained, chain }));
    took.push(performance.now() - started);
  }
  db.close();
  return timesOf(took);
}

interface Counted {
  /** Until head office had stored all of it, and until the store had all receipts. */
  readonly storedMs: number;
  readonly ms: number;
  readonly operationsPerSecond: number;
  readonly requestsPerThousand: number;
  readonly writeUnitsPerOperation: number;
  readonly readUnitsPerOperation: number;
  readonly objectCalls: number;
}

/** Sends what is recorded, and counts. */
async function backlog(
  cloud: SeededCloud,
  { data, rows, large }: { readonly data: string; readonly rows: number; readonly large?: LargeUploads },
): Promise<{ readonly counted: Counted; readonly line: string }> {
  const before = await counts(cloud);
  const { storedMs, ms } = await drain(data, large);
  const after = await counts(cloud);
  const used = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
  const counted = {
    storedMs,
    ms,
    operationsPerSecond: round((rows * 1_000) / ms, 0),
    requestsPerThousand: round((used('api.requests') * 1_000) / rows, 1),
    writeUnitsPerOperation: round(used('dynamodb.writeUnits') / rows),
    readUnitsPerOperation: round(used('dynamodb.readUnits') / rows),
    objectCalls: used('s3.puts') + used('s3.gets'),
  };
  const { operationsPerSecond, writeUnitsPerOperation, readUnitsPerOperation, requestsPerThousand } = counted;
  const line = `${ms} ms (stored after ${storedMs} ms), ${operationsPerSecond} a second, ${writeUnitsPerOperation} write and ${readUnitsPerOperation} read units each, ${requestsPerThousand} requests a thousand`;
  return { counted, line };
}

interface Drained {
  readonly storedMs: number;
  readonly ms: number;
  /** From the beginning to the receipt of each operation. */
  readonly receipts: Times;
}

/** Until everything has a receipt. */
async function drain(data: string, large?: LargeUploads): Promise<Drained> {
  const io = systemIo(new AbortController().signal);
  const cloud = await createCloudApi(io, data, { patient: true });
  const outbox = OutboxFile.open(join(data, 'outbox.sqlite'), requireIdentity(join(data, 'identity.json')).replicaId);
  const started = performance.now();
  let storedMs = 0;
  let through = outbox.receiptsThrough();
  const receipts: number[] = [];
  try {
    for (;;) {
      await pushOutbox({ cloud, outbox, signal: io.signal, ...(large === undefined ? {} : { large }) });
      const { unsent, withoutReceipt } = outbox.countOpen();
      for (; through < outbox.receiptsThrough(); through += 1) receipts.push(performance.now() - started);
      if (unsent === 0 && storedMs === 0) storedMs = round(performance.now() - started, 0);
      if (unsent === 0 && withoutReceipt === 0) return { storedMs, ms: round(performance.now() - started, 0), receipts: timesOf(receipts) };
      await delay(RECEIPTS_POLL_MS);
    }
  } finally {
    outbox.close();
  }
}

async function counts(cloud: SeededCloud): Promise<Record<string, number>> {
  const answer = await fetch(`${cloud.stack.api}/_local/cost`);
  const { operations } = costReportSchema.parse(await answer.json());
  const sums: Record<string, number> = {};
  for (const { counts: own } of operations) for (const [name, count] of Object.entries(own)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
