import { supersededManifests, unneeded } from '../../core/erasure/keep-objects.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { ObjectStore, StoredObject } from '../../core/ports/object-store.ts';
import { chunkKey, manifestKey, manifestPrefix, segmentKey } from '../../core/snapshot/object-keys.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { manifestRanges } from '../../protocol/manifest.ts';
import { readManifest } from '../compact/read-snapshot.ts';
import { inParts } from '../in-parts.ts';

/**
 * Takes away what no snapshot and no index needs any more (INV-42), once a day. What is needed is read before the
 * bucket is listed, and what is young is left, so whatever else is going on meanwhile loses nothing.
 */
export interface SweepDeps {
  readonly feeds: Pick<FeedStore, 'listFeeds' | 'readFeeds' | 'readSegments' | 'sweepSnapshots'>;
  readonly objects: Pick<ObjectStore, 'list' | 'get' | 'delete'>;
  readonly clock: Clock;
}

/** Feeds looked at together, a few requests of some 10 ms each: by that, 25,000 are two minutes of the fifteen there are. Not measured. */
const FEEDS_AT_ONCE = 16;

interface Life {
  readonly now: number;
  readonly lifeMs: number;
}

export async function sweep(deps: SweepDeps): Promise<{ objects: number; snapshots: number }> {
  const life = { now: deps.clock.now(), lifeMs: limits.snapshotLifeMs };
  const needed = new Set<string>();
  const swept = { objects: 0, snapshots: 0 };
  for await (const feeds of inParts(await deps.feeds.listFeeds(), FEEDS_AT_ONCE)) {
    for (const { needs, objects, snapshots } of await Promise.all(feeds.map((feed) => sweepFeed(deps, feed, life)))) {
      for (const key of needs) needed.add(key);
      swept.objects += objects;
      swept.snapshots += snapshots;
    }
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

/** What its manifests and its index need; manifests that nobody does go. */
async function sweepFeed(deps: SweepDeps, feed: FeedName, life: Life): Promise<{ needs: string[]; objects: number; snapshots: number }> {
  const { kept, gone } = await keepManifests(deps, feed, life);
  const needs: string[] = [];
  for (const manifestSha256 of kept) {
    const manifest = await readManifest(deps.objects, { feed, manifestSha256 });
    needs.push(...manifestRanges(manifest).map(({ chunk }) => chunkKey(feed, chunk.sha256)));
  }
  const state = (await deps.feeds.readFeeds([feed])).get(feed);
  const segments = state === undefined ? [] : (await deps.feeds.readSegments(state.head)).segments;
  needs.push(...segments.map(({ sha256 }) => segmentKey(feed, sha256)));
  const snapshots = await deps.feeds.sweepSnapshots(feed, kept);
  await deps.objects.delete(gone);
  return { needs, objects: gone.length, snapshots };
}

async function keepManifests({ feeds, objects }: SweepDeps, feed: FeedName, life: Life): Promise<{ kept: Set<string>; gone: string[] }> {
  const all: StoredObject[] = [];
  for await (const part of objects.list(manifestPrefix(feed))) all.push(...part);
  const newest = (await feeds.readFeeds([feed])).get(feed)?.snapshot?.manifestSha256;
  const gone = supersededManifests(all, newest === undefined ? null : manifestKey(feed, newest), life);
  const left = all.filter(({ key }) => !gone.includes(key));
  return { kept: new Set(left.map(({ key }) => key.slice(manifestPrefix(feed).length))), gone };
}
