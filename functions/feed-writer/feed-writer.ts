import { PAGE_LEVEL, pack } from '../../codec/pack.ts';
import { type FeedChange, type RouteSettings, type StreamRecord, routeChange } from '../../core/feed/route-change.ts';
import { type PageLimits, groupForPages, pageSections } from '../../core/feed/page-sections.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { FeedHead, FeedStore } from '../../core/ports/feed-store.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { Quarantine, QuarantineEntry } from '../../core/ports/quarantine.ts';
import type { RescopeRequests } from '../../core/ports/rescope-requests.ts';
import { type RescopeWork, rescopeTrigger } from '../../core/working-set/rescope-trigger.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import { must } from '../../protocol/assert.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { encodeSections } from '../../protocol/sections.ts';
import { appendPage } from '../append-page.ts';

/**
 * Main data's stream becomes pages.
 *
 * Guarantees: a batch is acknowledged only when every change of it is in a page of its feed (INV-02); a batch that
 * comes again, wholly or in part, appends repeats and nothing else; a record whose content cannot be understood, or that
 * no page can hold, is quarantined and holds up nothing; a record that was changed without a new `rev` gets one (INV-07). Does not guarantee that a change stands in one page only.
 */
export interface FeedWriterDeps {
  readonly feeds: FeedStore;
  readonly records: Pick<RecordStore, 'raiseRev'>;
  readonly quarantine: Pick<Quarantine, 'put'>;
  readonly rescopes: RescopeRequests;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: RouteSettings & { readonly scopes: ScopeSettings };
  /** `bytesMax`: of a packed page. */
  readonly pages: PageLimits & { readonly bytesMax: number };
}

/** `readFeeds` takes this many at once. */
const FEEDS_AT_ONCE = 50;

export interface FeedsWritten {
  /** The sequence number from which on the stream must deliver again; null: all was taken. */
  readonly failedFrom: string | null;
  readonly cause?: unknown;
  /** Feeds that have enough pages, or large enough ones, for another segment. */
  readonly toSeal: readonly FeedName[];
}

export async function writeFeeds(deps: FeedWriterDeps, records: readonly StreamRecord[]): Promise<FeedsWritten> {
  const { changes, origin } = await routeAll(deps, records);
  // Before anything is acknowledged: nobody else would ask for it.
  await deps.rescopes.send(rescopeWork(records, deps.settings.scopes));
  const grouped = groupForPages(changes, deps.pages);
  const heads = await readOrCreate(deps, [...grouped.keys()]);
  const toSeal: FeedName[] = [];
  let failed: { index: number; cause: unknown } | null = null;
  for (const [feed, groups] of grouped) {
    try {
      const from = must(heads.get(feed), `${feed} was just read`);
      let head = from;
      for (const group of groups) head = await appendChanges(deps, { head, changes: group, origin });
      if (runOf(head) > runOf(from) || groups.flat().length >= limits.sealChanges) toSeal.push(feed);
    } catch (cause) {
      const first = must(origin.get(groups[0]?.[0] as FeedChange), `${feed} has a change`);
      if (failed === null || first.index < failed.index) failed = { index: first.index, cause };
    }
  }
  return failed === null
    ? { failedFrom: null, toSeal }
    : { failedFrom: (records[failed.index] as StreamRecord).sequenceNumber, cause: failed.cause, toSeal };
}

/** Which record of the batch a change comes from. */
type Origin = ReadonlyMap<FeedChange, { readonly index: number; readonly record: StreamRecord }>;

/** Each once. */
function rescopeWork(records: readonly StreamRecord[], scopes: ScopeSettings): RescopeWork[] {
  const work = records.flatMap((record) => rescopeTrigger(record, scopes));
  return [...new Map(work.map((one) => [`${one.kind} ${one.id}`, one])).values()];
}

/** The changes for feeds in the order of the stream. What is poison or stale is dealt with here. */
async function routeAll(deps: FeedWriterDeps, records: readonly StreamRecord[]): Promise<{ changes: FeedChange[]; origin: Origin }> {
  const changes: FeedChange[] = [];
  const origin = new Map<FeedChange, { index: number; record: StreamRecord }>();
  const poison: QuarantineEntry[] = [];
  for (const [index, record] of records.entries()) {
    const routed = routeChange(record, deps.settings);
    if (routed.kind === 'poison') poison.push(quarantined(record, routed.reason));
    // It comes again with its new revision, in a batch after this one.
    else if (routed.stale !== null) {
      // Above the tombstones that later changes without a revision bring: all of them were made before the raise.
      const to = Math.max(routed.stale.raiseTo, deps.clock.now() + limits.streamSkewMs);
      await deps.records.raiseRev(routed.stale, to);
    }
    for (const change of routed.changes) {
      origin.set(change, { index, record });
      changes.push(change);
    }
  }
  await deps.quarantine.put(poison);
  return { changes, origin };
}

function runOf({ position }: FeedHead): number {
  return Math.floor(position / limits.sealPages);
}

async function readOrCreate({ feeds, ids }: FeedWriterDeps, names: readonly FeedName[]): Promise<Map<FeedName, FeedHead>> {
  const heads = new Map<FeedName, FeedHead>();
  for (let start = 0; start < names.length; start += FEEDS_AT_ONCE) {
    const some = names.slice(start, start + FEEDS_AT_ONCE);
    const states = await feeds.readFeeds(some);
    for (const name of some) heads.set(name, states.get(name)?.head ?? (await feeds.createFeed(name, ids.next())));
  }
  return heads;
}

/** One page, or two halves of it when it is too large once packed. One change that is too large alone is set aside. */
async function appendChanges(
  deps: FeedWriterDeps,
  input: { head: FeedHead; changes: readonly FeedChange[]; origin: Origin },
): Promise<FeedHead> {
  const { changes, head, origin } = input;
  const body = await pack(encodeSections(pageSections(changes)), PAGE_LEVEL);
  if (body.length <= deps.pages.bytesMax) return appendPage(deps.feeds, head, { body, asOf: newestOf(changes, origin) });
  if (changes.length === 1) {
    const { record } = must(origin.get(changes[0] as FeedChange), 'a change comes from a record');
    await deps.quarantine.put([quarantined(record, `packs to ${body.length} bytes, and a page holds ${deps.pages.bytesMax}`)]);
    return head;
  }
  const half = changes.length >> 1;
  const middle = await appendChanges(deps, { ...input, changes: changes.slice(0, half) });
  return appendChanges(deps, { ...input, head: middle, changes: changes.slice(half) });
}

/** Stream time of the newest change. Other shards of the stream may be behind it. */
function newestOf(changes: readonly FeedChange[], origin: Origin): string {
  const times = changes.map((change) => must(origin.get(change), 'a change comes from a record').record.at);
  return new Date(times.reduce((newest, at) => Math.max(newest, at), 0)).toISOString();
}

function quarantined(record: StreamRecord, reason: string): QuarantineEntry {
  return {
    id: `feed-writer#${record.sequenceNumber}`,
    source: 'feed-writer',
    reason,
    at: new Date(record.at).toISOString(),
    item: record.after ?? record.before,
  };
}
