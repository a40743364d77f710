import type { Segment } from './segment.ts';

/**
 * The cheapest run of segments that brings a cursor from `from` to exactly `to`, in order; null when there is none.
 *
 * Cheapest in bytes, with a request counted as `REQUEST_BYTES`: a store that is a little behind gets small segments, one
 * that is far behind gets few large ones.
 */
const REQUEST_BYTES = 4_096;

export function coverTail(segments: readonly Segment[], from: number, to: number): Segment[] | null {
  const best = new Map<number, Step | null>([[to, { cost: 0, segment: null }]]);
  const usable = segments.filter((segment) => segment.through > from && segment.through <= to).sort((a, b) => b.through - a.through);
  const ends = [...new Set(usable.map((segment) => segment.through)), from].sort((a, b) => b - a);
  // From the end backwards: a segment leads to a position whose best is known already.
  for (const position of ends) if (position < to) best.set(position, bestStep(usable, best, position));
  const path: Segment[] = [];
  for (let position = from; position < to;) {
    const step = best.get(position);
    if (step?.segment == null) return null;
    path.push(step.segment);
    position = step.segment.through;
  }
  return from > to ? null : path;
}

interface Step {
  readonly cost: number;
  readonly segment: Segment | null;
}

function bestStep(usable: readonly Segment[], best: ReadonlyMap<number, Step | null>, position: number): Step | null {
  let step: Step | null = null;
  for (const segment of usable) {
    if (segment.through <= position) break;
    if (segment.after > position) continue;
    const rest = best.get(segment.through);
    if (rest == null) continue;
    const cost = segment.bytes + REQUEST_BYTES + rest.cost;
    if (step === null || cost < step.cost) step = { cost, segment };
  }
  return step;
}
