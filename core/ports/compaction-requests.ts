import type { FeedName } from '../../protocol/feed.ts';

/** A doorbell: "this feed needs a newer snapshot". It may be lost or doubled; nothing depends on it but speed. */
export interface CompactionRequests {
  ring(feeds: readonly FeedName[]): Promise<void>;
}
