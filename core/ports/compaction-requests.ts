import type { FeedName } from '../../protocol/feed.ts';

/** `snapshot`: this feed needs a newer snapshot. `segments`: it has pages to seal. */
export type CompactionWork = 'snapshot' | 'segments';

/** A doorbell. It may be lost or doubled; nothing depends on it but speed. */
export interface CompactionRequests {
  ring(feeds: readonly FeedName[], work: CompactionWork): Promise<void>;
}
