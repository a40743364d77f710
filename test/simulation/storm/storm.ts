import { limits } from '../../../protocol/limits.ts';
import { percentile, round } from '../../../bench/stats.ts';
import { type Capacity, Door } from './door.ts';
import { StormOffice } from './office.ts';
import { type StormStore, enrolled, logon } from './store.ts';
import { VirtualTime } from './virtual-time.ts';

/**
 * Stores that log on, all of them, within some time or at one moment: real functions behind their real door (signature, schema,
 * JSON), real retries, virtual time, ports in memory. One store in ten loads everything, the rest has a delta; each
 * sends three operations. Not asked here: what the database takes (bench `admission`), and what a load costs (bench `fresh`).
 */
const FRESH_SHARE = 10;
const OPERATIONS = 3;

interface StormInput {
  readonly stores: number;
  readonly withinMs: number;
  readonly capacity: Capacity;
}

export async function storm({ stores, withinMs, capacity }: StormInput) {
  const time = new VirtualTime(Date.parse('2026-11-23T08:00:00.000Z'));
  const office = new StormOffice(time);
  await office.fill(2_000, 50);
  const door = new Door(time, capacity, office.handlers());
  const known = [...office.world.feeds.feeds.values()].map(({ head, snapshot }) => ({
    feed: head.feed,
    generation: head.generation,
    position: snapshot?.position ?? 0,
  }));
  const began = time.now;
  const logons: Promise<StormStore>[] = [];
  for (let index = 0; index < stores; index += 1) {
    const at = began + (withinMs * index) / stores;
    const identity = await enrolled(office, index);
    logons.push(logon({ time, door, office }, { identity, at, known: index % FRESH_SHARE === 0 ? null : known }));
  }
  let isOver = false;
  const all = Promise.all(logons).finally(() => (isOver = true));
  while (!isOver) await time.run();
  return summary(await all, { door, office, ms: time.now - began });
}

interface After {
  readonly door: Door;
  readonly office: StormOffice;
  readonly ms: number;
}

function summary(all: readonly StormStore[], { door, office, ms }: After) {
  const took = (isFresh: boolean) =>
    all.flatMap((store, index) => ((index % FRESH_SHARE === 0) === isFresh ? [store.took ?? Number.NaN] : []));
  const bills = [...office.world.records.records.values()].filter(({ collection }) => collection === 'bill').length;
  const perSecond = new Map<number, number>();
  for (const at of door.arrivals) perSecond.set(Math.floor(at / 1_000), (perSecond.get(Math.floor(at / 1_000)) ?? 0) + 1);
  const sum = (of: (store: StormStore) => number) => all.reduce((total, store) => total + of(store), 0);
  const firstTries = sum((store) => store.firstTries);
  return {
    stores: all.length,
    inStep: all.filter(({ took: one }) => one !== null).length,
    minutes: round(ms / 60_000),
    requests: door.arrivals.length,
    answers: door.answers,
    retriesPerFirstTry: round(sum((store) => store.retries) / firstTries, 3),
    syncsThatGaveUp: sum((store) => store.failed),
    perSecond: { mean: round((door.arrivals.length * 1_000) / ms, 1), peak: Math.max(...perSecond.values()) },
    deltaMs: spreadOf(took(false)),
    freshMs: spreadOf(took(true)),
    slots: limits.freshSlots,
    operations: { sent: all.length * OPERATIONS, applied: bills, lost: all.length * OPERATIONS - bills },
  };
}

function spreadOf(values: readonly number[]) {
  return {
    p50: round(percentile(values, 50), 0),
    p95: round(percentile(values, 95), 0),
    p99: round(percentile(values, 99), 0),
    slowest: round(Math.max(...values), 0),
  };
}
