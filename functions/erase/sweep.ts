import { supersededManifests, unneeded } from '../../core/erasure/keep-objects.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { ObjectStore, StoredObject } from '../../core/ports/object-store.ts';
import { chunkKey, manifestKey, manifestPrefix, segmentKey } from '../../core/snapshot/object-keys.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { manifestRanges } from '../../protocol/manifest.ts';
import { readManifest } from '../compact/read-snapshot.ts';

/**
 * Takes away what no snapshot and no index needs any more (INV-42), once a day. What is needed is read before the
 * bucket is listed, and what is young is left, so whatever else is going on meanwhile loses nothing.
 */
export interface SweepDeps {
  readonly feeds: Pick<FeedStore, 'listFeeds' | 'readFeeds' | 'readSegments' | 'sweepSnapshots'>;
  readonly objects: Pick<ObjectStore, 'list' | 'get' | 'delete'>;
  readonly clock: Clock;
}

export async function sweep(deps: SweepDeps): Promise<{ objects: number; snapshots: number }> {
  const life = { now: deps.clock.now(), lifeMs: limits.snapshotLifeMs };
  const needed = new Set<string>();
  const swept = { objects: 0, snapshots: 0 };
  for (const feed of await deps.feeds.listFeeds()) {
    const manifests = await keepManifests(deps, feed, life);
    for (const manifestSha256 of manifests.kept) {
      const manifest = await readManifest(deps.objects, { feed, manifestSha256 });
      for (const { chunk } of manifestRanges(manifest)) needed.add(chunkKey(feed, chunk.sha256));
    }
    const state = (await deps.feeds.readFeeds([feed])).get(feed);
    if (state !== undefined)
      for (const { sha256 } of (await deps.feeds.readSegments(state.head)).segments) needed.add(segmentKey(feed, sha256));
    swept.snapshots += await deps.feeds.sweepSnapshots(feed, manifests.kept);
    await deps.objects.delete(manifests.gone);
    swept.objects += manifests.gone.length;
  }
  for (const prefix of ['chunks/', 'segments/']) {
    for await (const part of deps.objects.list(prefix)) {
      const gone = unneeded(part, needed, life);
      await deps.objects.delete(gone);
      swept.objects += gone.length;
    }
  }
  return swept;
}

async function keepManifests(
  { feeds, objects }: SweepDeps,
  feed: FeedName,
  life: { now: number; lifeMs: number },
): Promise<{ kept: Set<string>; gone: string[] }> {
  const all: StoredObject[] = [];
  for await (const part of objects.list(manifestPrefix(feed))) all.push(...part);
  const newest = (await feeds.readFeeds([feed])).get(feed)?.snapshot?.manifestSha256;
  const gone = supersededManifests(all, newest === undefined ? null : manifestKey(feed, newest), life);
  const left = all.filter(({ key }) => !gone.includes(key));
  return { kept: new Set(left.map(({ key }) => key.slice(manifestPrefix(feed).length))), gone };
}
