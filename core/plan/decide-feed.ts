import type { FeedState, SnapshotPointer } from '../ports/feed-store.ts';
import { coverTail } from '../segments/cover.ts';
import { type Segment, type SegmentIndex, sealedThrough } from '../segments/segment.ts';
import type { Cursor } from '../../protocol/feed.ts';

/**
 * What a replica is told about one feed: read on, reconcile, or wait for a snapshot.
 *
 * A cursor of another generation, or past the head (head office was restored), counts as none. A snapshot that is
 * behind the replica's cursor is never offered, because reconciling with it would undo what the replica has. A tail that
 * is behind the horizon, or more bytes than the snapshot, is not read: reconciling fetches only what differs.
 */
export type FeedDecision =
  | {
      readonly action: 'tail';
      readonly after: number;
      /** Bring the replica from `after` to `pagesAfter`, in order. */
      readonly segments: readonly Segment[];
      /** Pages are read after it. */
      readonly pagesAfter: number;
      /** A snapshot whose position the replica gets to on its way, so that it can compare itself with it. */
      readonly passes: SnapshotPointer | null;
    }
  | { readonly action: 'reconcile'; readonly snapshot: SnapshotPointer }
  | { readonly action: 'wait' };

export interface FeedDecisionInput {
  readonly state: FeedState;
  /** Needed only when the cursor is behind the head. */
  readonly index: SegmentIndex | null;
  /** null: never synced. */
  readonly cursor: Cursor | null;
  readonly want: 'tail' | 'snapshot';
  /** A snapshot that is further behind its feed's head is to be renewed when a store has to use it. */
  readonly snapshotPagesBehindMax: number;
  /** Segments whose newest change is older (ms) are gone or about to go, unless the next snapshot needs them. */
  readonly horizonAt: number;
}

/** `ring`: ask for a newer snapshot as well. */
export function decideFeed(input: FeedDecisionInput): FeedDecision & { ring: boolean } {
  const { head } = input.state;
  const snapshot = snapshotOf(input.state);
  const position = validPosition(input.state, input.cursor);
  const tail = position === null || input.want === 'snapshot' ? null : decideTail(input, position);
  if (tail !== null) return { ...tail, ring: false };
  if (snapshot !== null && (position === null || snapshot.position >= position)) {
    return { action: 'reconcile', snapshot, ring: head.position - snapshot.position > input.snapshotPagesBehindMax };
  }
  return { action: 'wait', ring: true };
}

/** Whether `decideFeed` needs the feed's segments. */
export function isBehind(state: FeedState, cursor: Cursor | null): boolean {
  const position = validPosition(state, cursor);
  return position !== null && position < state.head.position;
}

function validPosition({ head }: FeedState, cursor: Cursor | null): number | null {
  return cursor !== null && cursor.generation === head.generation && cursor.position <= head.position ? cursor.position : null;
}

function snapshotOf({ head, snapshot }: FeedState): SnapshotPointer | null {
  return snapshot?.generation === head.generation ? snapshot : null;
}

function decideTail({ state, index, horizonAt }: FeedDecisionInput, after: number): Extract<FeedDecision, { action: 'tail' }> | null {
  const sealed = index === null ? 0 : sealedThrough(index);
  if (index === null || after >= sealed) return { action: 'tail', after, segments: [], pagesAfter: after, passes: null };
  const snapshot = snapshotOf(state);
  // The index of a quiet feed is not touched, so it can name objects that the bucket has thrown away since.
  const kept = index.segments.filter(({ through, asOf }) => through > (snapshot?.position ?? 0) || Date.parse(asOf) >= horizonAt);
  const ahead = snapshot !== null && snapshot.position > after && snapshot.position <= sealed ? snapshot : null;
  const first = ahead === null ? null : coverTail(kept, after, ahead.position);
  const through = ahead === null ? null : join(first, coverTail(kept, ahead.position, sealed));
  const segments = through ?? coverTail(kept, after, sealed);
  if (segments === null) return null;
  if (ahead !== null && bytesOf(first ?? segments) > ahead.bytes) return null;
  return { action: 'tail', after, segments, pagesAfter: sealed, passes: through === null ? null : ahead };
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.bytes, 0);
}

function join(first: readonly Segment[] | null, second: readonly Segment[] | null): readonly Segment[] | null {
  return first === null || second === null ? null : [...first, ...second];
}
