import { type Segment, type SegmentIndex, sealedThrough } from './segment.ts';

/**
 * When pages become a segment, segments a larger one, and what is thrown away.
 *
 * Pages are sealed when there are `sealPages` of them or a large one, and whenever a snapshot is made, in runs of at most
 * `sealPages`; so a snapshot's position is always the end of a segment. `sealFanout` neighbours of one level make one of the next; a run that would be too large
 * is promoted as it is. So a feed has about `sealFanout` segments of each level that are not merged yet, and any
 * distance behind is covered by a few of them.
 */
export interface SealLimits {
  readonly sealPages: number;
  readonly sealFanout: number;
  readonly segmentRowsMax: number;
  readonly segmentRawBytesMax: number;
  readonly segmentLevelMax: number;
  readonly segmentsMax: number;
  /** Lives of segments that a larger one covers, by level; the last counts for all above. */
  readonly coveredSegmentLifeMs: readonly number[];
  readonly horizonMs: number;
  readonly pageLifeMs: number;
}

export interface PageRun {
  readonly after: number;
  readonly through: number;
}

/** The next run of pages to seal; null: all are. */
export function nextSeal(
  index: Pick<SegmentIndex, 'segments' | 'pagesGoneThrough'>,
  head: number,
  { sealPages }: Pick<SealLimits, 'sealPages'>,
): PageRun | null {
  const after = sealedThrough(index);
  return head <= after ? null : { after, through: Math.min(head, after + sealPages) };
}

/** A run of neighbours to merge (two or more), or one to promote to the next level; null: nothing to do. */
export function nextMerge({ segments }: Pick<SegmentIndex, 'segments'>, limits: SealLimits): readonly Segment[] | null {
  for (let level = 0; level < limits.segmentLevelMax; level += 1) {
    const done = segments.reduce((through, segment) => (segment.level === level + 1 ? Math.max(through, segment.through) : through), 0);
    const open = segments.filter((segment) => segment.level === level && segment.after >= done).sort((a, b) => a.after - b.after);
    if (open.length < limits.sealFanout) continue;
    let take = 0;
    let rows = 0;
    let rawBytes = 0;
    for (const segment of open.slice(0, limits.sealFanout)) {
      rows += segment.rows;
      rawBytes += segment.rawBytes;
      if (take > 0 && (rows > limits.segmentRowsMax || rawBytes > limits.segmentRawBytesMax)) break;
      take += 1;
    }
    return open.slice(0, take);
  }
  return null;
}

/**
 * What is kept: nothing behind the horizon, nothing that a larger segment has covered for long, never a hole. What the
 * next snapshot is made from stays, however old it is and however much; so does what still has its pages, or these would
 * be sealed again.
 */
export function retain(
  index: SegmentIndex,
  { now, snapshotPosition }: { readonly now: number; readonly snapshotPosition: number },
  limits: SealLimits,
): SegmentIndex {
  const covered = (segment: Segment): boolean => {
    const life = limits.coveredSegmentLifeMs[Math.min(segment.level, limits.coveredSegmentLifeMs.length - 1)] ?? 0;
    return index.segments.some(
      (other) =>
        other.level > segment.level && other.after <= segment.after && other.through >= segment.through && other.sealedAt < now - life,
    );
  };
  const pagesGoneThrough = index.segments
    .filter((segment) => segment.sealedAt < now - limits.pageLifeMs)
    .reduce((through, segment) => Math.max(through, segment.through), index.pagesGoneThrough);
  const needed = ({ through }: Segment) => through > snapshotPosition || through > pagesGoneThrough;
  const fresh = index.segments.filter(
    (segment) => !covered(segment) && (needed(segment) || Date.parse(segment.asOf) >= now - limits.horizonMs),
  );
  const segments = fresh.filter((segment, at) => needed(segment) || fresh.length - at <= limits.segmentsMax);
  return { ...index, segments, pagesGoneThrough };
}

/** In the order of an index. */
export function withSegment(index: SegmentIndex, segment: Segment): SegmentIndex {
  const segments = [...index.segments, segment].sort((a, b) => a.after - b.after || b.level - a.level);
  return { ...index, segments };
}
