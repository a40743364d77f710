import type { CompactionRequests } from '../../core/ports/compaction-requests.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import { inParts } from '../in-parts.ts';
import { isUpToDate } from './compact.ts';

/**
 * What the schedule does: it asks for a snapshot of every feed that has changed since its last one. The queue makes them, as many at a time
 * as there is time for, so thousands of feeds are done, and one that fails holds up no other.
 */
export interface RingStaleDeps {
  readonly feeds: Pick<FeedStore, 'listFeeds' | 'readFeeds'>;
  readonly compactions: CompactionRequests;
}

/** Feeds that one read takes. */
const FEEDS_AT_ONCE = 50;

/** How many feeds were rung for. */
export async function ringStale({ feeds, compactions }: RingStaleDeps): Promise<number> {
  let rung = 0;
  for await (const names of inParts(await feeds.listFeeds(), FEEDS_AT_ONCE)) {
    const stale = [...(await feeds.readFeeds(names))].filter(([, state]) => !isUpToDate(state)).map(([feed]) => feed);
    await compactions.ring(stale, 'snapshot');
    rung += stale.length;
  }
  return rung;
}
