import { type FeedName, feedPath } from '../../protocol/feed.ts';

/**
 * Names of objects in the snapshots bucket. The feed stands in the name, so a URL for a chunk can be given from the
 * feed and its digest alone, and a store can never name a chunk of a feed it may not read. The first two digits of the
 * digest lead, so that load spreads over 256 prefixes.
 */
export function chunkKey(feed: FeedName, sha256: string): string {
  return `chunks/${sha256.slice(0, 2)}/${feedPath(feed)}/${sha256}`;
}

/** A prefix of its own, because segments expire and chunks do not. */
export function segmentKey(feed: FeedName, sha256: string): string {
  return `segments/${sha256.slice(0, 2)}/${feedPath(feed)}/${sha256}`;
}

export function manifestKey(feed: FeedName, sha256: string): string {
  return `${manifestPrefix(feed)}${sha256}`;
}

export function manifestPrefix(feed: FeedName): string {
  return `manifests/${feedPath(feed)}/`;
}
