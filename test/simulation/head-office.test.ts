import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { Faults, seededRandom } from './world/faults.ts';
import { HeadOffice } from './world/head-office.ts';

/**
 * Histories of head office: edits, stream deliveries that fail, repeat and overlap, compactions that crash and race.
 * Another number with SIM_HISTORIES; one again with SIM_SEED=n SIM_HISTORIES=1.
 */
const HISTORIES = Number(process.env['SIM_HISTORIES'] ?? 17_000);
const FIRST_SEED = Number(process.env['SIM_SEED'] ?? 1);
const SIZES = { rowsTarget: 4, rowsMax: 6 };

async function history(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const pick = (count: number) => Math.floor(random() * count);
  const office = new HeadOffice(Faults.seeded(random, random() < 0.3 ? 0 : 0.15), SIZES);
  office.scopes = { 'Voucher Series': 'zone' };
  const zombies: Promise<unknown>[] = [];
  let taken = 0;

  const edit = async () => {
    office.now += pick(3) === 0 ? 0 : pick(2_000);
    const key = `c${pick(30)}`;
    if (pick(4) === 0) await office.write('customer', [], [key]);
    else await office.write('customer', [{ user_id: key, firstname: `n${pick(5)}`, dob: '1990-01-01', loyalty_type: 'LOYALTY' }]);
    const associate = `a${pick(5)}`;
    const series = `s${pick(5)}`;
    if (pick(3) === 0) await office.write('coupon_series', [{ series_id: series, zone_code: `z${pick(2)}` }]);
    if (pick(3) === 0) await office.write('associate', [{ associate_id: associate, code: associate, store_code: `S${pick(3)}` }]);
  };
  const deliver = async () => {
    const to = Math.min(office.records.stream.length, taken + 1 + pick(8));
    const from = Math.max(0, taken - (pick(3) === 0 ? pick(4) : 0));
    const attempt = office.deliver(from, to).catch(() => from);
    if (pick(6) === 0) zombies.push(attempt);
    else taken = Math.max(taken, await attempt);
  };
  const compact = async () => {
    const feeds = [...office.feeds.feeds.keys()];
    const feed = feeds[pick(feeds.length)];
    if (feed === undefined) return;
    const racing = [office.compact(feed), ...(pick(4) === 0 ? [office.compact(feed)] : [])];
    await Promise.allSettled(racing);
    await checkSnapshot(office, feed);
  };
  for (let step = 0; step < 60; step += 1) {
    const roll = pick(10);
    await (roll < 5 ? edit() : roll < 8 ? deliver() : compact());
    checkPages(office);
  }
  await Promise.allSettled(zombies);
  while (taken < office.records.stream.length) {
    taken = Math.max(taken, await office.deliver(taken, Math.min(office.records.stream.length, taken + 10)).catch(() => taken));
  }
  await checkFaithful(office);
  for (const feed of office.feeds.feeds.keys()) {
    while ((await office.compact(feed).catch(() => null)) === null);
    await checkSnapshot(office, feed);
    await checkCanonical(office, feed);
  }
}

/** INV-01: pages 1…n, no gap. */
function checkPages(office: HeadOffice): void {
  for (const { head, pages } of office.feeds.feeds.values()) {
    if (head.position !== pages.length || pages.some((page, index) => page.position !== index + 1))
      expect(pages.map((page) => page.position)).toEqual(Array.from({ length: head.position }, (_, index) => index + 1));
  }
}

/** INV-02, INV-07, INV-08: the fold of all pages is main data, scope by scope, without what is withheld. */
async function checkFaithful(office: HeadOffice): Promise<void> {
  const expected = new Map<string, Map<string, string>>();
  for (const record of office.records.records.values()) {
    if (record.deleted) continue;
    const { component } = collectionOf(record.collection);
    const { user_id: _, associate_id: __, dob: ___, series_id: ____, ...values } = record.fields;
    const sorted = Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    for (const scope of record.scopes) {
      const state = expected.get(`${component}@${scope}`) ?? new Map<string, string>();
      expected.set(`${component}@${scope}`, state.set(`${record.collection}/${record.key}`, JSON.stringify([record.rev, sorted])));
    }
  }
  for (const [feed, { head }] of office.feeds.feeds) {
    const state = await office.foldOf(feed, head.position);
    same(state, new Map([...(expected.get(feed) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))));
    expected.delete(feed);
  }
  expect([...expected.values()].filter((state) => state.size > 0)).toEqual([]);
}

/** INV-03: every published snapshot is the fold of the pages up to it, and all its objects exist. */
async function checkSnapshot(office: HeadOffice, feed: FeedName): Promise<void> {
  for (const pointer of office.feeds.feeds.get(feed)?.snapshots.values() ?? []) {
    const manifest = await office.readManifest(feed, pointer.manifestSha256);
    same(await office.snapshotState(manifest), await office.foldOf(feed, pointer.position));
    for (const { chunks } of manifest.collections)
      expect(Math.max(...chunks.map((chunk) => chunk.rows))).toBeLessThanOrEqual(SIZES.rowsMax);
  }
}

/** The same state always has the same chunks, however it came about. */
async function checkCanonical(office: HeadOffice, feed: FeedName): Promise<void> {
  const stepwise = await office.manifest(feed);
  const other = new HeadOffice(Faults.none(), SIZES);
  const source = office.feeds.feeds.get(feed);
  if (source === undefined) return;
  other.feeds.feeds.set(feed, {
    head: source.head,
    pages: source.pages,
    snapshot: null,
    snapshots: new Map(),
    segments: null,
    gone: new Set(),
  });
  other.now = office.now;
  await other.compact(feed);
  same((await other.manifest(feed)).collections, stepwise.collections);
}

/** Ten times as fast as the matcher, which is asked only for what it says when they differ. */
function same(value: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(value, expected)) expect(value).toEqual(expected);
}

test(`${HISTORIES} histories of head office hold their invariants`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
    try {
      await history(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: run again with SIM_SEED=${seed} SIM_HISTORIES=1`, { cause: error });
    }
  }
});
