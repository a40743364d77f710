import type { FeedName } from '../../protocol/feed.ts';

/** What was asked, how far it is, and where stores have to be to have done it. Names nobody. */
export interface Erasure {
  readonly erasureId: string;
  /** sha256 of the customer's id. */
  readonly digest: string;
  /** What facts name in place of the customer. */
  readonly pseudonym: string;
  readonly requestedAt: string;
  readonly by: string;
  readonly reason: string;
  /** Feeds that held something of the customer, and the position that is behind all of it; null: not forgotten yet. */
  readonly feeds: readonly { readonly feed: FeedName; readonly generation: string | null; readonly position: number | null }[];
  /** Tombstones that are to be purged, because a key can say who it was; empty once they are. */
  readonly tombstones: readonly { readonly collection: string; readonly key: string }[];
  /** ISO; null: not yet. */
  readonly forgottenAt: string | null;
  readonly purgedAt: string | null;
  /** Counts its states, from 1. */
  readonly version: number;
}

export interface ErasureStore {
  /** By the digest; an erasure that was asked for before stays as it is. */
  begin(erasure: Erasure): Promise<Erasure>;
  read(digest: string): Promise<Erasure | null>;
  list(): Promise<Erasure[]>;
  /** `conflict`: somebody else changed it since it was read. */
  replace(before: Erasure, after: Erasure): Promise<'replaced' | 'conflict'>;
}
