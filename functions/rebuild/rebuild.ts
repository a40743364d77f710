import pLimit from 'p-limit';
import { PAGE_LEVEL, pack } from '../../codec/pack.ts';
import { type CompareInput, type Comparison, compareRecord } from '../../core/feed/compare-record.ts';
import { groupForPages, pageSections } from '../../core/feed/page-sections.ts';
import type { FeedChange, RouteSettings } from '../../core/feed/route-change.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { MainRecord, RecordStore } from '../../core/ports/record-store.ts';
import type { FoldedRow } from '../../core/snapshot/fold.ts';
import { collections, findCollection } from '../../protocol/catalogue/catalogue.ts';
import { type FeedName, splitFeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { manifestRanges } from '../../protocol/manifest.ts';
import type { RebuildCounts, RebuildRequest } from '../../protocol/messages/rebuild.ts';
import { encodeSections } from '../../protocol/sections.ts';
import { appendPage } from '../append-page.ts';
import { readChunk, readManifest } from '../compact/read-snapshot.ts';

/**
 * Feeds are made to say what main data says, after its stream was lost for longer than it is kept (INV-41).
 *
 * Two kinds of steps, in any order and as often as one likes. `compare` takes a range of a feed's snapshot: what is
 * other in main data is sent through the stream again, what main data has no more in this scope gets a tombstone.
 * `re-emit` takes a part of main data, for what no feed has heard of yet. Nothing is written to a feed but tombstones,
 * so a change that comes by the stream at the same time is neither lost nor overtaken.
 */
export interface RebuildDeps {
  readonly feeds: Pick<FeedStore, 'readFeeds' | 'appendPage'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly records: Pick<RecordStore, 'getMany' | 'readBucket' | 'raiseRev'>;
  readonly clock: Clock;
  readonly settings: RouteSettings;
}

/** Writes under way at once: a range of 32,000 rows in 10 s at 5 ms each. */
const WRITES_AT_ONCE = 16;
/** Tombstones of one page: 250 keys of 1 KB stay below a page's bytes however badly they pack. */
const TOMBSTONES_PER_PAGE = { rowsMax: 250, rawBytesMax: limits.pageRawBytesMax };

type Compare = Extract<RebuildRequest, { op: 'compare' }>;
type Emit = Extract<RebuildRequest, { op: 're-emit' }>;

export async function rebuildStep(deps: RebuildDeps, request: RebuildRequest): Promise<object> {
  return request.op === 'compare' ? compareStep(deps, request) : emitStep(deps, request);
}

async function compareStep(deps: RebuildDeps, { feed: name, from, dryRun }: Compare): Promise<object> {
  const feed = name as FeedName;
  const state = (await deps.feeds.readFeeds([feed])).get(feed);
  if (state?.snapshot == null || state.snapshot.generation !== state.head.generation) return { ...noCounts(), next: null };
  const ranges = manifestRanges(await readManifest(deps.objects, state.snapshot));
  const at = from === null ? 0 : ranges.findIndex((range) => isPast(range, from));
  const range = ranges[at];
  if (range === undefined) return { ...noCounts(), next: null };
  const rest = ranges[at + 1];
  const next = rest === undefined ? null : { collection: rest.collection, key: rest.from };
  if (findCollection(range.collection) === undefined) return { ...noCounts(), next };

  const rows = await readChunk(deps.objects, feed, range.chunk);
  const keys = rows.map(({ key }) => key);
  const records = await deps.records.getMany(range.collection, keys);
  const settledAt = deps.clock.now() - limits.streamLagMs;
  const { counts, raises, tombstones } = compareRows(rows, records, {
    feed,
    collection: range.collection,
    settings: deps.settings,
    settledAt,
  });
  if (!dryRun) {
    // Records first: a tombstone must not stand above a record that is coming back.
    await raiseAll(deps, raises);
    await appendTombstones(deps, feed, tombstones);
  }
  return { ...counts, next };
}

interface Place extends Pick<CompareInput, 'collection' | 'settings' | 'settledAt'> {
  readonly feed: FeedName;
}

function compareRows(rows: readonly FoldedRow[], records: ReadonlyMap<string, MainRecord>, { feed, ...place }: Place) {
  const { scope } = splitFeedName(feed);
  const counts = noCounts();
  const tombstones: FeedChange[] = [];
  const raises: Raise[] = [];
  for (const row of rows) {
    const record = records.get(row.key) ?? null;
    const compared = compareRecord({ ...place, scope, row, record });
    count(counts, compared);
    const to = raiseOf(compared);
    if (to !== null && record !== null) raises.push({ record, to });
    if (compared.kind === 'remove') tombstones.push({ feed, collection: place.collection, key: row.key, rev: compared.rev, fields: null });
  }
  return { counts, tombstones, raises };
}

interface Raise {
  readonly record: MainRecord;
  readonly to: number;
}

function raiseOf(compared: Comparison): number | null {
  if (compared.kind === 'raise') return compared.to;
  return compared.kind === 'remove' ? compared.raise : null;
}

/** Whether a range holds the key or comes after it. */
function isPast(range: { collection: string; to: string | null }, from: { collection: string; key: string }): boolean {
  if (range.collection === from.collection) return range.to === null || range.to > from.key;
  return orderOf(range.collection) > orderOf(from.collection);
}

/** As in a manifest: the catalogue's order, then what it does not know. */
function orderOf(collection: string): number {
  const at = collections.findIndex(({ name }) => name === collection);
  return at < 0 ? collections.length : at;
}

async function emitStep(deps: RebuildDeps, { collection, bucket, after, since, dryRun }: Emit): Promise<object> {
  const counts = noCounts();
  const part = await deps.records.readBucket({ collection, bucket, after, limit: limits.rebuildRecords });
  counts.looked = part.records.length;
  counts.unreadable = part.unreadable;
  const now = deps.clock.now();
  const raises = part.records.filter(({ rev }) => rev >= since).map((record) => ({ record, to: Math.max(record.rev + 1, now) }));
  counts.raised = raises.length;
  if (!dryRun) await raiseAll(deps, raises);
  return { ...counts, next: part.next };
}

/** Somebody else was faster: then the stream brings what they wrote. */
async function raiseAll({ records }: RebuildDeps, raises: readonly Raise[]): Promise<void> {
  const limit = pLimit(WRITES_AT_ONCE);
  await Promise.all(raises.map(({ record, to }) => limit(() => records.raiseRev(record, to))));
}

async function appendTombstones({ feeds, clock }: RebuildDeps, feed: FeedName, changes: readonly FeedChange[]): Promise<void> {
  if (changes.length === 0) return;
  let head = (await feeds.readFeeds([feed])).get(feed)?.head;
  const asOf = new Date(clock.now()).toISOString();
  for (const page of groupForPages(changes, TOMBSTONES_PER_PAGE).get(feed) ?? []) {
    if (head === undefined) return;
    head = await appendPage(feeds, head, { body: await pack(encodeSections(pageSections(page)), PAGE_LEVEL), asOf });
  }
}

function count(counts: RebuildCounts, { kind }: Comparison): void {
  counts.looked += 1;
  if (kind === 'raise') counts.raised += 1;
  if (kind === 'remove') counts.removed += 1;
  if (kind === 'on-its-way') counts.onTheirWay += 1;
}

function noCounts(): RebuildCounts {
  return { looked: 0, raised: 0, removed: 0, onTheirWay: 0, unreadable: 0 };
}
