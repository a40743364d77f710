import type { SnapshotPlan } from '../../core/reconcile/next-round.ts';
import { type ManifestRange, type OwnRange, type RangePlan, planRanges } from '../../core/reconcile/plan-ranges.ts';
import { assert } from '../../protocol/assert.ts';
import { splitFeedName } from '../../protocol/feed.ts';
import { type Manifest, manifestRanges } from '../../protocol/manifest.ts';
import { compareWithManifest } from '../replica/bulk-load.ts';
import { RangeDigests } from '../replica/digest.ts';
import { type RangeChanges, compareRange, keptBlocks } from '../replica/range-compare.ts';
import { replaceRange } from '../replica/range-replace.ts';
import { createIndexes, dropIndexes, markSchema } from '../replica/replica-schema.ts';
import type { Replica } from '../replica/replica.ts';
import { chunkStream } from './chunk-stream.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { guardFreeSpace } from './free-space.ts';
import type { ReportedState, SyncSession } from './sync-session.ts';

/**
 * Brings one feed of a live replica to a snapshot by replacing only the ranges that differ.
 *
 * Each range is a transaction, and the cursor moves only when every range has the manifest's digest (INV-06), so a
 * crash costs at most the range in hand: the next run finds the rest right. Never goes back within a generation (INV-05),
 * unless head office itself did: its head is behind the cursor only when it was restored from a backup.
 */
export async function reconcileFeed(
  session: SyncSession,
  snapshot: SnapshotPlan,
  onChanges: (rows: number) => void,
): Promise<ReportedState> {
  const { deps, replica } = session;
  const { feed, generation } = snapshot;
  const { position } = snapshot.snapshot;
  const cursor = replica.cursor(feed);
  assert(
    cursor === null || cursor.generation !== generation || position >= cursor.position || snapshot.head < cursor.position,
    () => `INV-05: a snapshot of ${feed} behind the cursor`,
  );

  const manifest = await fetchManifest(deps, snapshot);
  const own = await ownRanges(session, manifest);
  const ranges = planRanges({ manifest, own, held: replica.heldCollections(feed) });
  deps.count.chunksSkipped += ranges.kept;
  const changed = ranges.replace.length > 0 || ranges.clear.length > 0;
  if (changed) await replaceRanges(session, { manifest, ranges, onChanges });
  const state = changed
    ? compareWithManifest(replica, manifest, await ownRanges(session, manifest))
    : compareWithManifest(replica, manifest, own);
  replica.transaction(() => replica.setCursor(feed, manifest, { rows: state.rows, asOf: snapshot.asOf }));
  for (const { chunk } of ranges.replace) deps.download.forget(chunk.sha256);
  deps.download.forget(snapshot.snapshot.manifestSha256);
  return { feed, generation, position, ...state };
}

/** What the replica has in the manifest's ranges; a turn for signals and timers now and then. */
export async function ownRanges({ deps, replica }: SyncSession, manifest: Manifest): Promise<OwnRange[]> {
  replica.transaction(() => {
    for (const { collection } of manifest.collections) replica.ensureTable(collection, manifest.feed);
  });
  const digests = new RangeDigests(replica.db);
  const own: OwnRange[] = [];
  for (const [index, range] of manifestRanges(manifest).entries()) {
    if (index % 8 === 7) await new Promise((resolve) => setImmediate(resolve));
    deps.signal.throwIfAborted();
    own.push(digests.of(range));
  }
  return own;
}

interface Replacement {
  readonly manifest: Manifest;
  readonly ranges: RangePlan;
  readonly onChanges: (rows: number) => void;
  /** Costs a comparison of every row. */
  readonly onRange?: (changes: RangeChanges, bytes: number) => void;
}

export async function replaceRanges(session: SyncSession, { manifest, ranges, onChanges, onRange }: Replacement): Promise<void> {
  const { deps, replica } = session;
  const { feed } = manifest;
  const { component } = splitFeedName(feed);
  const work = ranges.replace.map((range) => ({ feed, range }));
  await guardFreeSpace(deps, work);
  deps.progress.planned(component, sumOf(ranges.replace));
  replica.transaction(() => ranges.clear.forEach((collection) => replica.clearCollection(collection)));
  const bare = dropIndexesOfEmptyTables(replica, ranges.replace);
  for await (const { content: taken } of chunkStream(deps, work)) {
    const content = onRange === undefined ? taken : keptBlocks(taken);
    onRange?.(compareRange(replica, content), content.range.chunk.bytes);
    onChanges(replaceRange(replica, feed, content));
    deps.progress.advanced(component, sumOf([content.range]));
  }
  if (bare.length > 0) {
    replica.transaction(() => {
      for (const collection of bare) createIndexes(replica.db, collection);
      markSchema(replica.db);
    });
  }
}

/** Below this many rows, indexes are cheap enough to keep up to date. */
const INDEX_LAST_ROWS = 20_000;

/** Three times faster for a feed that comes later than the first load. A crash leaves them to the next open. */
function dropIndexesOfEmptyTables(replica: Replica, replace: readonly ManifestRange[]): string[] {
  const rows = new Map<string, number>();
  for (const { collection, chunk } of replace) rows.set(collection, (rows.get(collection) ?? 0) + chunk.rows);
  const bare = [...rows]
    .filter(([collection, count]) => count > INDEX_LAST_ROWS && replica.isTableEmpty(collection))
    .map(([collection]) => collection);
  if (bare.length > 0) replica.transaction(() => bare.forEach((collection) => dropIndexes(replica.db, collection)));
  return bare;
}

function sumOf(ranges: readonly ManifestRange[]): { rows: number; bytes: number } {
  return ranges.reduce((sum, { chunk }) => ({ rows: sum.rows + chunk.rows, bytes: sum.bytes + chunk.bytes }), { rows: 0, bytes: 0 });
}
