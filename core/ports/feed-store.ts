import type { Cursor, FeedName } from '../../protocol/feed.ts';
import type { SegmentIndex } from '../segments/segment.ts';

/**
 * Heads, pages and snapshot pointers of feeds. The only place where positions are given out.
 *
 * `appendPage` moves the head and stores the page in one transaction, so a page exists exactly when the head says so
 * (INV-01). All reads are strongly consistent.
 */
export interface FeedHead extends Cursor {
  readonly feed: FeedName;
  /**
   * Stream time (ISO) of the newest change in the feed; null before the first page. No promise that all before it is
   * there: the stream's shards are read apart, so an older change of another record may still be on its way.
   */
  readonly asOf: string | null;
}

export interface FeedPage {
  readonly position: number;
  /** Packed sections. */
  readonly body: Uint8Array;
  readonly asOf: string;
}

export interface SnapshotPointer extends Cursor {
  readonly feed: FeedName;
  readonly manifestSha256: string;
  /** Digest of all range digests; what a certificate must equal. */
  readonly root: string;
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: number;
}

export interface FeedState {
  readonly head: FeedHead;
  readonly snapshot: SnapshotPointer | null;
}

export interface FeedStore {
  /** States of the feeds that exist; one request for up to 50 feeds. */
  readFeeds(feeds: readonly FeedName[]): Promise<ReadonlyMap<FeedName, FeedState>>;
  listFeeds(): Promise<FeedName[]>;
  /** Idempotent: of two creators one generation wins, and both get it. */
  createFeed(feed: FeedName, generation: string): Promise<FeedHead>;
  /** `conflict` when the head is not at `after` any more; nothing was written then. */
  appendPage(after: FeedHead, page: FeedPage): Promise<'appended' | 'conflict'>;
  /**
   * Pages after a position in order, up to about `bytesMax` (at least one if there is any). A hole is an assertion, so
   * nobody asks for pages that are sealed.
   */
  readPages(feed: FeedName, after: number, bytesMax: number): Promise<FeedPage[]>;
  /** The feed's segments; the empty index of its generation when there are none. */
  readSegments(cursor: Pick<FeedHead, 'feed' | 'generation'>): Promise<SegmentIndex>;
  /** `conflict` when the index is not at `before`'s version any more; nothing was written then. */
  replaceSegments(before: SegmentIndex, after: SegmentIndex): Promise<'replaced' | 'conflict'>;
  /** Throws sealed pages away: `after`+1 … `through`. Idempotent. */
  deletePages(feed: FeedName, after: number, through: number): Promise<void>;
  /** Throws away every page up to `through` that still stands, and says how many there were. Finding none costs next to nothing. */
  sweepPages(feed: FeedName, through: number): Promise<number>;
  /**
   * Makes a snapshot the newest. `superseded` when another one is at or past its position; nothing was written then.
   */
  publishSnapshot(pointer: SnapshotPointer): Promise<'published' | 'superseded'>;
  /** Forgets the snapshots whose manifest is not among `kept`, and says how many there were. The newest stays. */
  sweepSnapshots(feed: FeedName, kept: ReadonlySet<string>): Promise<number>;
  /** The snapshot published at exactly this cursor, as long as it is kept. */
  readSnapshot(feed: FeedName, cursor: Cursor): Promise<SnapshotPointer | null>;
}
