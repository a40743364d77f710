import { CHUNK_LEVEL, pack, sha256Hex, unpack } from '../../codec/pack.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { FeedHead, FeedState, FeedStore } from '../../core/ports/feed-store.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { type PageRun, type SealLimits, nextMerge, nextSeal, retain, withSegment } from '../../core/segments/plan-seal.ts';
import { type Segment, type SegmentIndex, sealedThrough } from '../../core/segments/segment.ts';
import { rowSections } from '../../core/snapshot/compact-collection.ts';
import { Fold } from '../../core/snapshot/fold.ts';
import { segmentKey } from '../../core/snapshot/object-keys.ts';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { assert } from '../../protocol/assert.ts';
import { limits } from '../../protocol/limits.ts';
import { decodeSections, encodeSections } from '../../protocol/sections.ts';

/**
 * Runs of pages become segments that all stores share; a segment is the fold of its pages (INV-04).
 *
 * Objects are written before the index names them, and the index moves by comparing its version, so of two sealers one
 * wins and nothing is lost or named twice. Pages go only when an index that does not need them has stood for an hour;
 * what a crash left of them goes at the next seal.
 */
export interface SealDeps {
  readonly feeds: FeedStore;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly sealing: SealLimits;
}

export interface SealResult {
  readonly index: SegmentIndex;
  readonly sealed: number;
  readonly merged: number;
  readonly pagesDeleted: number;
}

/** Page bytes read at once from the feed. */
const READ_BYTES = 4 << 20;

/** Everything up to the head. Whoever calls knows that it is worth a segment. */
export async function sealFeed(deps: SealDeps, { head, snapshot }: FeedState): Promise<SealResult> {
  const before = await deps.feeds.readSegments(head);
  // A crash after the index moved left pages that nobody reads; the index does not say so.
  const swept = before.pagesGoneThrough === 0 ? 0 : await deps.feeds.sweepPages(head.feed, before.pagesGoneThrough);
  const result = { sealed: 0, merged: 0 };
  const snapshotPosition = snapshot?.generation === head.generation ? snapshot.position : 0;
  const keep = (all: SegmentIndex) => retain(all, { now: deps.clock.now(), snapshotPosition }, deps.sealing);
  // First as well: the index of a quiet feed names segments that the bucket has thrown away since.
  let index = keep(before);
  for (;;) {
    const run = nextSeal(index, head.position, deps.sealing);
    if (run === null) break;
    for (const segment of await sealRun(deps, head, run)) index = withSegment(index, segment);
    result.sealed += 1;
  }
  for (;;) {
    const run = nextMerge(index, deps.sealing);
    if (run === null) break;
    index = withSegment(index, await mergeRun(deps, head.feed, run));
    result.merged += 1;
  }
  index = keep(index);
  if (isSame(index, before)) return { ...result, index, pagesDeleted: swept };
  if ((await deps.feeds.replaceSegments(before, index)) === 'conflict') {
    // Another sealer was faster; what it made holds the same pages.
    return { index: await deps.feeds.readSegments(head), sealed: 0, merged: 0, pagesDeleted: swept };
  }
  await deps.feeds.deletePages(head.feed, before.pagesGoneThrough, index.pagesGoneThrough);
  return { ...result, index, pagesDeleted: swept + index.pagesGoneThrough - before.pagesGoneThrough };
}

/** One segment of the run, or more when its pages are large. */
async function sealRun(deps: SealDeps, { feed }: FeedHead, run: PageRun): Promise<Segment[]> {
  const segments: Segment[] = [];
  let fold = new Fold();
  let { after } = run;
  let last = { position: run.after, asOf: '' };
  let rawBytes = 0;
  const close = async () => {
    if (last.position > after)
      segments.push(await putSegment(deps, feed, { after, through: last.position, level: 0, asOf: last.asOf, fold }));
    after = last.position;
    fold = new Fold();
    rawBytes = 0;
  };
  while (last.position < run.through) {
    const pages = await deps.feeds.readPages(feed, last.position, READ_BYTES);
    assert(pages.length > 0, () => `INV-01: ${feed} has no page ${last.position + 1}`);
    for (const page of pages) {
      if (page.position > run.through) break;
      const text = await unpack(page.body, { rawBytesMax: limits.pageRawBytesMax * 8 });
      if (rawBytes > 0 && rawBytes + text.length > deps.sealing.segmentRawBytesMax) await close();
      fold.add(decodeSections(text));
      rawBytes += text.length;
      last = page;
    }
  }
  await close();
  return segments;
}

async function mergeRun(deps: SealDeps, feed: FeedName, run: readonly Segment[]): Promise<Segment> {
  const first = run[0] as Segment;
  const last = run.at(-1) as Segment;
  const level = first.level + 1;
  // Too large to merge with its neighbour: the same object, one level up.
  if (run.length === 1) return { ...first, level, sealedAt: deps.clock.now() };
  const fold = new Fold();
  for (const segment of run) fold.add(await readSegment(deps.objects, feed, segment));
  return putSegment(deps, feed, { after: first.after, through: last.through, level, asOf: last.asOf, fold });
}

export async function readSegment(objects: ObjectStore, feed: FeedName, { sha256, rawBytes }: Segment) {
  const bytes = await objects.get(segmentKey(feed, sha256));
  return decodeSections(await unpack(bytes, { rawBytesMax: limits.chunkRawBytesMax, rawBytes }));
}

async function putSegment(
  { objects, clock }: SealDeps,
  feed: FeedName,
  { fold, ...place }: { after: number; through: number; level: number; asOf: string; fold: Fold },
): Promise<Segment> {
  const present = new Set(fold.collections());
  const names = collections.map(({ name }) => name).filter((name) => present.has(name));
  const others = [...present].filter((name) => !names.includes(name)).sort();
  const sections = [...names, ...others].flatMap((name) => rowSections(name, fold.rows(name)));
  const text = encodeSections(sections);
  const body = await pack(text, CHUNK_LEVEL);
  const sha256 = sha256Hex(body);
  await objects.put(segmentKey(feed, sha256), body);
  const rows = sections.reduce((sum, section) => sum + section.rows.length, 0);
  return { ...place, sha256, bytes: body.length, rawBytes: Buffer.byteLength(text), rows, sealedAt: clock.now() };
}

function isSame(a: SegmentIndex, b: SegmentIndex): boolean {
  return (
    a.pagesGoneThrough === b.pagesGoneThrough &&
    a.segments.length === b.segments.length &&
    sealedThrough(a) === sealedThrough(b) &&
    a.segments.every((segment, at) => segment === b.segments[at])
  );
}
