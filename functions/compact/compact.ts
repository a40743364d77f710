import { CHUNK_LEVEL, pack, sha256Hex } from '../../codec/pack.ts';
import type { FeedState, SnapshotPointer } from '../../core/ports/feed-store.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { coverTail } from '../../core/segments/cover.ts';
import { type SegmentIndex, sealedThrough } from '../../core/segments/segment.ts';
import { type ChunkSizes } from '../../core/snapshot/chunk-boundaries.ts';
import { type ChunkContent, type Group, groupChanges, rebuildGroup } from '../../core/snapshot/compact-collection.ts';
import { Fold } from '../../core/snapshot/fold.ts';
import { chunkKey, manifestKey } from '../../core/snapshot/object-keys.ts';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { type Chunk, type Manifest, contentText, digestText, manifestRanges, rootText } from '../../protocol/manifest.ts';
import type { CompactResponse } from '../../protocol/messages/compact.ts';
import { encodeSections } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { readChunk, readManifest } from './read-snapshot.ts';
import { type SealDeps, readSegment, sealFeed } from './seal.ts';

/**
 * Pages become a snapshot: the one before it, folded with the segments since (INV-03). Pages are sealed first, so a
 * snapshot's position is the end of a segment, and a store that passes it can compare itself with it.
 *
 * Rewrites only the chunks that changed; the rest are the same objects. Everything is written before the pointer, the
 * pointer moves only forward, and objects are named by content, so a crash or a second compaction of the same feed at
 * any point leaves nothing wrong. Works in steps of bounded memory and publishes after each.
 */
export interface CompactDeps extends SealDeps {
  readonly sizes: ChunkSizes;
  /** Tombstones to leave out whatever their age, because their keys say who somebody was. */
  readonly purge?: (collection: string, key: string) => boolean;
}

type FeedResult = CompactResponse['feeds'][number];

/** Chunks packed at once: each holds its rows and its bytes. */
const CHUNKS_AT_ONCE = 2;

/** null: there is no such feed. A feed that is up to date is left as it is. */
export async function compactFeed(deps: CompactDeps, feed: FeedName): Promise<FeedResult | null> {
  let state = (await deps.feeds.readFeeds([feed])).get(feed);
  if (state === undefined) return null;
  const result: FeedResult = {
    feed,
    from: currentSnapshot(state)?.position ?? 0,
    position: 0,
    changes: 0,
    rows: 0,
    chunks: 0,
    chunksWritten: 0,
    bytesWritten: 0,
    root: '',
  };
  for (;;) {
    const pointer = currentSnapshot(state);
    if (pointer !== null && isUpToDate(state)) {
      return { ...result, position: pointer.position, rows: pointer.rows, chunks: pointer.chunks, root: pointer.root };
    }
    const step = await compactStep(deps, state, pointer);
    state = (await deps.feeds.readFeeds([feed])).get(feed) ?? state;
    if (step === null) {
      // Another compaction was faster and what led to its snapshot is thrown away: go on from there.
      if (isSameSnapshot(currentSnapshot(state), pointer))
        throw new SyncError(
          'INTEGRITY',
          `${feed}: the segments after its snapshot at ${pointer?.position ?? 0} are gone, which must not happen (INV-04); stores keep what they have`,
        );
      continue;
    }
    result.changes += step.changes;
    result.chunksWritten += step.chunksWritten;
    result.bytesWritten += step.bytesWritten;
  }
}

/** Every feed gets its turn, whatever became of those before it. What failed is for the caller to throw or to tell. */
export async function compactFeeds(
  deps: CompactDeps,
  feeds: readonly FeedName[],
): Promise<{ done: FeedResult[]; failed: { feed: FeedName; error: unknown }[] }> {
  const done: FeedResult[] = [];
  const failed: { feed: FeedName; error: unknown }[] = [];
  for (const feed of feeds) {
    try {
      const result = await compactFeed(deps, feed);
      if (result !== null) done.push(result);
    } catch (error) {
      failed.push({ feed, error });
    }
  }
  return { done, failed };
}

/** Whether its snapshot has all of its pages. */
export function isUpToDate(state: FeedState): boolean {
  const snapshot = currentSnapshot(state);
  return snapshot !== null && snapshot.position >= state.head.position;
}

function currentSnapshot({ head, snapshot }: FeedState): SnapshotPointer | null {
  return snapshot?.generation === head.generation ? snapshot : null;
}

function isSameSnapshot(a: SnapshotPointer | null, b: SnapshotPointer | null): boolean {
  return a?.generation === b?.generation && a?.position === b?.position;
}

/** One step: as many pages as memory allows, one new snapshot. null: no segments lead on from the snapshot given. */
async function compactStep(deps: CompactDeps, state: FeedState, pointer: SnapshotPointer | null) {
  const { feed, generation } = state.head;
  const previous = pointer === null ? null : await readManifest(deps.objects, pointer);
  const { index } = await sealFeed(deps, state);
  const folded = await foldSegments(deps, index, pointer?.position ?? 0);
  if (folded === null) return null;
  const { fold, position } = folded;
  const written = { chunksWritten: 0, bytesWritten: 0 };
  const parts: Manifest['collections'] = [];
  for (const collection of collectionOrder(previous, fold)) {
    const before = previous?.collections.find((part) => part.collection === collection)?.chunks ?? [];
    const chunks = await compactCollection(deps, { feed, collection, before, changes: fold.rows(collection), written });
    if (chunks.length > 0) parts.push({ collection, chunks });
  }
  const ranges = manifestRanges({ collections: parts });
  const rows = ranges.reduce((sum, { chunk }) => sum + chunk.rows, 0);
  const root = sha256Hex(
    rootText(ranges.map(({ collection, from, chunk }) => ({ collection, from, rows: chunk.rows, digest: chunk.digest }))),
  );
  const manifest: Manifest = { format: 1, feed, generation, position, collections: parts, rows, root };
  const body = await pack(JSON.stringify(manifest), CHUNK_LEVEL);
  const manifestSha256 = sha256Hex(body);
  await deps.objects.put(manifestKey(feed, manifestSha256), body);
  const bytes = ranges.reduce((sum, { chunk }) => sum + chunk.bytes, 0);
  await deps.feeds.publishSnapshot({ feed, generation, position, manifestSha256, root, rows, bytes, chunks: ranges.length });
  return { changes: fold.changes, ...written };
}

/** As many segments as memory allows; null when none lead on from `after`. */
async function foldSegments(
  { objects }: CompactDeps,
  index: SegmentIndex,
  after: number,
): Promise<{ fold: Fold; position: number } | null> {
  const { feed } = index;
  const fold = new Fold();
  let position = after;
  const path = coverTail(index.segments, after, sealedThrough(index));
  if (path === null) return null;
  for (const segment of path) {
    if (position > after && fold.changes + segment.rows > limits.compactionChangesMax) break;
    fold.add(await readSegment(objects, feed, segment));
    position = segment.through;
  }
  return { fold, position };
}

/** Catalogue order, then collections of another version, by name. */
function collectionOrder(previous: Manifest | null, fold: Fold): string[] {
  const present = new Set([...(previous?.collections.map((part) => part.collection) ?? []), ...fold.collections()]);
  const known = collections.map((collection) => collection.name).filter((name) => present.has(name));
  return [...known, ...[...present].filter((name) => !known.includes(name)).sort()];
}

interface CollectionWork {
  readonly feed: FeedName;
  readonly collection: string;
  readonly before: readonly Chunk[];
  readonly changes: ReturnType<Fold['rows']>;
  readonly written: { chunksWritten: number; bytesWritten: number };
}

async function compactCollection(deps: CompactDeps, { feed, collection, before, changes, written }: CollectionWork): Promise<Chunk[]> {
  const { purge } = deps;
  if (changes.length === 0 && purge === undefined) return [...before];
  const settings = {
    sizes: deps.sizes,
    purgeBeforeRev: deps.clock.now() - limits.tombstoneLifeMs,
    ...(purge === undefined ? {} : { purge: (key: string) => purge(collection, key) }),
  };
  const known = new Set(before.map((chunk) => chunk.sha256));
  const chunks: Chunk[] = [];
  for (const group of groupChanges(before, changes, deps.sizes)) {
    const isToPurge = purge !== undefined && group.chunks.some(({ tombstones }) => tombstones > 0);
    if (group.changes.length === 0 && !isToPurge) {
      chunks.push(...group.chunks);
      continue;
    }
    const rows = await readGroup(deps.objects, feed, group);
    const contents = rebuildGroup(collection, { from: group.from, rows, changes: group.changes }, settings);
    for (let start = 0; start < contents.length; start += CHUNKS_AT_ONCE) {
      const packed = await Promise.all(contents.slice(start, start + CHUNKS_AT_ONCE).map((content) => packChunk(content)));
      for (const { chunk, bytes } of packed) {
        chunks.push(chunk);
        if (known.has(chunk.sha256)) continue;
        await deps.objects.put(chunkKey(feed, chunk.sha256), bytes);
        written.chunksWritten += 1;
        written.bytesWritten += bytes.length;
      }
    }
  }
  // The first range is open to the left whatever its first key is.
  if (chunks[0] !== undefined) chunks[0] = { ...chunks[0], from: '' };
  return chunks;
}

async function readGroup(objects: ObjectStore, feed: FeedName, group: Group) {
  return (await Promise.all(group.chunks.map((chunk) => readChunk(objects, feed, chunk)))).flat();
}

async function packChunk(content: ChunkContent): Promise<{ chunk: Chunk; bytes: Uint8Array }> {
  const text = encodeSections(content.sections);
  const bytes = await pack(text, CHUNK_LEVEL);
  const { columns, rows } = content.puts;
  return {
    bytes,
    chunk: {
      from: content.from,
      sha256: sha256Hex(bytes),
      bytes: bytes.length,
      rawBytes: Buffer.byteLength(text),
      rows: rows.length,
      tombstones: content.tombstones,
      digest: sha256Hex(digestText(rows)),
      content: sha256Hex(contentText(columns, rows)),
    },
  };
}
