import type { Ids } from '../core/ports/clock.ts';
import type { FeedState, FeedStore } from '../core/ports/feed-store.ts';
import type { FeedName } from '../protocol/feed.ts';

/** The state of each of the feeds. One that does not exist yet is made, so that a store can be complete before anything was ever written to it. */
export async function readOrCreateFeeds(
  { feeds, ids }: { readonly feeds: Pick<FeedStore, 'readFeeds' | 'createFeed'>; readonly ids: Ids },
  names: readonly FeedName[],
): Promise<ReadonlyMap<FeedName, FeedState>> {
  const states = new Map(await feeds.readFeeds(names));
  const missing = names.filter((name) => !states.has(name));
  await Promise.all(
    missing.map(async (name) => {
      states.set(name, { head: await feeds.createFeed(name, ids.next()), snapshot: null });
    }),
  );
  return states;
}
