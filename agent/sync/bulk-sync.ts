import type { SnapshotPlan } from '../../core/reconcile/next-round.ts';
import { splitFeedName } from '../../protocol/feed.ts';
import { type Manifest, manifestRanges } from '../../protocol/manifest.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import { dataPaths } from '../data-folder.ts';
import { ShadowLoad } from '../replica/bulk-load.ts';
import { translateStorageError } from '../replica/sqlite-errors.ts';
import { type ChunkWork, chunkStream } from './chunk-stream.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { guardFreeSpace } from './free-space.ts';
import type { ReportedState, SyncSession } from './sync-session.ts';

/**
 * The first load: every feed of the plan into one shadow, which then is the replica.
 *
 * Whatever ends it early leaves an empty replica and what was downloaded. The spool is emptied only after the switch.
 */
export async function bulkSync(session: SyncSession, plan: PlanResponse, snapshots: readonly SnapshotPlan[]): Promise<ReportedState[]> {
  const { deps } = session;
  const paths = dataPaths(deps.dataDir);
  const manifests = await Promise.all(snapshots.map((snapshot) => fetchManifest(deps, snapshot)));
  const work = manifests.flatMap((manifest): ChunkWork[] => manifestRanges(manifest).map((range) => ({ feed: manifest.feed, range })));
  deps.download.keepOnly(
    new Set([...snapshots.map(({ snapshot }) => snapshot.manifestSha256), ...work.map(({ range }) => range.chunk.sha256)]),
  );
  await guardFreeSpace(deps, work);
  announce(session, manifests);

  const shadow = new ShadowLoad(paths.shadow, plan);
  try {
    for await (const { feed, content } of chunkStream(deps, work)) {
      shadow.add(feed, content);
      const { rows, bytes } = content.range.chunk;
      deps.progress.advanced(splitFeedName(feed).component, { rows, bytes });
    }
    deps.progress.note('indexing');
    for (const { feed } of manifests) deps.progress.entered(splitFeedName(feed).component, 'APPLY');
    const flushed = shadow.startFlush();
    flushed.catch(() => {});
    for (const step of shadow.indexSteps()) await breathe(session, step);
    deps.progress.note('verifying');
    const states: ReportedState[] = [];
    for (const manifest of manifests) {
      deps.progress.entered(splitFeedName(manifest.feed).component, 'VERIFY');
      const asOf = snapshots.find((snapshot) => snapshot.feed === manifest.feed)?.asOf ?? null;
      const own = await breathe(session, () => shadow.finishFeed(manifest, asOf));
      states.push({ feed: manifest.feed, generation: manifest.generation, position: manifest.position, ...own });
    }
    await flushed;
    session.swap(() => shadow.switchTo(paths.replica));
    deps.download.keepOnly(new Set());
    return states;
  } catch (error) {
    shadow.discard();
    throw translateStorageError(error);
  }
}

function announce({ deps }: SyncSession, manifests: readonly Manifest[]): void {
  for (const manifest of manifests) {
    const bytes = manifestRanges(manifest).reduce((sum, { chunk }) => sum + chunk.bytes, 0);
    deps.progress.planned(splitFeedName(manifest.feed).component, { rows: manifest.rows, bytes });
  }
}

/** A long step of SQLite, with a turn for signals and timers before it. */
async function breathe<T>({ deps }: SyncSession, step: () => T): Promise<T> {
  await new Promise((resolve) => setImmediate(resolve));
  deps.signal.throwIfAborted();
  return step();
}
