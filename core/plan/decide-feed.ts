import type { Cursor } from '../../protocol/feed.ts';
import type { FeedState, SnapshotPointer } from '../ports/feed-store.ts';

/**
 * What a replica is told about one feed: read on, reconcile, or wait for a snapshot.
 *
 * A cursor of another generation, or past the head (head office was restored), counts as none. A snapshot that is
 * behind the replica's cursor is never offered, because reconciling with it would undo what the replica has.
 */
export type FeedDecision =
  | { readonly action: 'tail'; readonly after: number }
  | { readonly action: 'reconcile'; readonly snapshot: SnapshotPointer }
  | { readonly action: 'wait' };

export interface FeedDecisionInput {
  readonly state: FeedState;
  /** null: never synced. */
  readonly cursor: Cursor | null;
  readonly want: 'tail' | 'snapshot';
  /** More pages than this behind: reconcile. */
  readonly tailPagesMax: number;
}

/** `ring`: ask for a newer snapshot as well. */
export function decideFeed({ state, cursor, want, tailPagesMax }: FeedDecisionInput): FeedDecision & { ring: boolean } {
  const { head } = state;
  const snapshot = state.snapshot?.generation === head.generation ? state.snapshot : null;
  const position = cursor !== null && cursor.generation === head.generation && cursor.position <= head.position ? cursor.position : null;
  if (position !== null && want === 'tail' && head.position - position <= tailPagesMax) {
    return { action: 'tail', after: position, ring: false };
  }
  if (snapshot !== null && (position === null || snapshot.position >= position)) {
    return { action: 'reconcile', snapshot, ring: head.position - snapshot.position > tailPagesMax };
  }
  return { action: 'wait', ring: true };
}
