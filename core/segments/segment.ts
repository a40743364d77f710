import type { FeedName } from '../../protocol/feed.ts';

/**
 * A sealed run of a feed's pages: the newest change per key of the pages `after`+1 … `through`, as one object that all
 * stores share. It may be applied by any replica whose cursor is at or past `after` and before `through`, because a
 * change is taken only if it is newer; the cursor is at `through` then.
 */
export interface Segment {
  readonly after: number;
  readonly through: number;
  /** 0: made from pages; n + 1: merged from a run of level n. */
  readonly level: number;
  readonly sha256: string;
  readonly bytes: number;
  readonly rawBytes: number;
  readonly rows: number;
  /** Stream time (ISO) of the newest change up to its last page. */
  readonly asOf: string;
  /** When it was made, milliseconds. */
  readonly sealedAt: number;
}

/** All segments of a feed that are kept, by `after`, then level. */
export interface SegmentIndex {
  readonly feed: FeedName;
  readonly generation: string;
  /** Counts the changes of the index; 0: there is none yet. */
  readonly version: number;
  readonly segments: readonly Segment[];
  /** Pages up to here may be gone; nobody reads them any more. */
  readonly pagesGoneThrough: number;
}

export function emptyIndex(feed: FeedName, generation: string, version = 0): SegmentIndex {
  return { feed, generation, version, segments: [], pagesGoneThrough: 0 };
}

/**
 * Everything up to here was sealed; pages are read only after it. It never goes back, also not when a feed was quiet for
 * so long that no segment of it is left: its pages are gone, and its snapshot has them.
 */
export function sealedThrough({ segments, pagesGoneThrough }: Pick<SegmentIndex, 'segments' | 'pagesGoneThrough'>): number {
  return segments.reduce((through, segment) => Math.max(through, segment.through), pagesGoneThrough);
}

/** The lowest cursor that segments still bring up to `sealedThrough`. A replica behind it reconciles. */
export function horizon(index: Pick<SegmentIndex, 'segments' | 'pagesGoneThrough'>): number {
  let low = sealedThrough(index);
  for (const segment of [...index.segments].sort((a, b) => b.through - a.through)) {
    if (segment.through < low) break;
    low = Math.min(low, segment.after);
  }
  return low;
}
