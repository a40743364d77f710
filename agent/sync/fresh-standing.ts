import { type Outstanding, outstandingFeeds } from '../../core/reconcile/readiness.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Replica } from '../replica/replica.ts';

/**
 * What a store's first load still lacks, as this replica knows it without head office; null: it never asked.
 *
 * A feed that was right once and is not any more is no part of it: a delta mends that by itself.
 */
export function freshOutstanding(replica: Replica): Outstanding[] | null {
  const note = replica.planNote();
  if (note === null) return null;
  const feeds = replica.feeds();
  const mending = new Set(feeds.flatMap(({ feed, resync }) => (resync ? [feed] : [])));
  return outstandingFeeds(note.components, feeds).filter(({ feed }) => !mending.has(feed));
}

/** Deltas come after the fresh sync, never instead of it. */
export function requireFreshComplete(replica: Replica): void {
  const outstanding = freshOutstanding(replica);
  if (outstanding?.length !== 0) throw notComplete(outstanding);
}

export function notComplete(outstanding: readonly Outstanding[] | null): SyncError {
  const what = outstanding === null ? 'it was never started' : outstanding.map(({ feed, reason }) => `${feed} (${reason})`).join(', ');
  return new SyncError('FRESH_NOT_COMPLETE', `the fresh sync is not complete: ${what}; run \`agent logon --wait\` first`);
}
