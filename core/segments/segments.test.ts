import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverTail } from './cover.ts';
import { type SealLimits, nextMerge, nextSeal, retain, withSegment } from './plan-seal.ts';
import { type Segment, type SegmentIndex, emptyIndex, horizon, sealedThrough } from './segment.ts';

const DAY_MS = 86_400_000;
const LIMITS: SealLimits = {
  sealPages: 4,
  sealFanout: 3,
  segmentRowsMax: 100,
  segmentRawBytesMax: 10_000,
  segmentLevelMax: 3,
  segmentsMax: 30,
  coveredSegmentLifeMs: [2 * DAY_MS, 5 * DAY_MS],
  horizonMs: 20 * DAY_MS,
  pageLifeMs: DAY_MS / 24,
};

interface Step {
  readonly pages: number;
  readonly hours: number;
  /** Somebody rang, or a snapshot is made, which seals as well. */
  readonly seal: boolean;
  readonly snapshot: boolean;
  readonly rows: number;
}

/** What sealing does to an index over a feed's life; the decisions are the product's, the objects are left out. */
function live(
  steps: readonly Step[],
  limits = LIMITS,
): { index: SegmentIndex; head: number; snapshotPosition: number; log: SegmentIndex[] } {
  let index = emptyIndex('Customer@org', 'g');
  let head = 0;
  let now = 0;
  let snapshotPosition = 0;
  const log: SegmentIndex[] = [];
  for (const { pages, hours, seal, snapshot, rows } of steps) {
    head += pages;
    now += hours * 3_600_000;
    const make = (after: number, through: number, level: number, count: number): Segment => ({
      after,
      through,
      level,
      sha256: `${after}-${through}`,
      bytes: count * 80,
      rawBytes: count * 90,
      rows: count,
      asOf: new Date(now).toISOString(),
      sealedAt: now,
    });
    index = retain(index, { now, snapshotPosition }, limits);
    const sealTo = seal || snapshot ? head : sealedThrough(index);
    for (let run = nextSeal(index, sealTo, limits); run !== null; run = nextSeal(index, sealTo, limits))
      index = withSegment(index, make(run.after, run.through, 0, rows));
    for (let run = nextMerge(index, limits); run !== null; run = nextMerge(index, limits)) {
      const [first, last] = [run[0] as Segment, run.at(-1) as Segment];
      const count = run.reduce((sum, segment) => sum + segment.rows, 0);
      if (run.length > 1) expect(count).toBeLessThanOrEqual(limits.segmentRowsMax);
      index = withSegment(index, { ...make(first.after, last.through, first.level + 1, count), asOf: last.asOf });
    }
    if (snapshot) snapshotPosition = sealedThrough(index);
    index = retain(index, { now, snapshotPosition }, limits);
    log.push(index);
  }
  return { index, head, snapshotPosition, log };
}

const steps = fc.array(
  fc.record({ pages: fc.nat(20), hours: fc.nat(60), seal: fc.boolean(), snapshot: fc.boolean(), rows: fc.integer({ min: 1, max: 60 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

test('INV-04: from the horizon on, every cursor is brought to the sealed end without a gap', () => {
  fc.assert(
    fc.property(steps, (life) => {
      const { index, head, snapshotPosition } = live(life);
      const sealed = sealedThrough(index);
      expect(sealed).toBeLessThanOrEqual(head);
      expect(index.pagesGoneThrough).toBeLessThanOrEqual(sealed);
      // What the next snapshot is made from is there.
      expect(horizon(index)).toBeLessThanOrEqual(snapshotPosition);
      for (let cursor = horizon(index); cursor < sealed; cursor += 1) {
        let position = cursor;
        for (const segment of coverTail(index.segments, cursor, sealed) ?? []) {
          expect(segment.after).toBeLessThanOrEqual(position);
          position = segment.through;
        }
        expect(position).toBe(sealed);
      }
      if (horizon(index) > 0) expect(coverTail(index.segments, horizon(index) - 1, sealed)).toBeNull();
    }),
  );
});

test('INV-04: the horizon is never nearer than its days, and pages go only when segments have them', () => {
  fc.assert(
    fc.property(steps, (life) => {
      const { log } = live(life, { ...LIMITS, segmentsMax: 10_000 });
      for (const [at, index] of log.entries()) {
        const now = life.slice(0, at + 1).reduce((sum, step) => sum + step.hours * 3_600_000, 0);
        for (const [before, old] of log.slice(0, at).entries()) {
          const then = life.slice(0, before + 1).reduce((sum, step) => sum + step.hours * 3_600_000, 0);
          if (now - then < LIMITS.horizonMs) expect(horizon(index)).toBeLessThanOrEqual(sealedThrough(old));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('INV-04: a feed that was quiet for longer than the horizon is sealed on from where it was', () => {
  const quiet = live([
    { pages: LIMITS.sealPages, hours: 0, seal: true, snapshot: true, rows: 1 },
    { pages: 0, hours: 24 * 100, seal: true, snapshot: false, rows: 1 },
  ]);
  expect(quiet.index.segments).toEqual([]);
  expect(quiet.index.pagesGoneThrough).toBe(quiet.head);
  expect(sealedThrough(quiet.index)).toBe(quiet.head);
  expect(nextSeal(quiet.index, quiet.head + 1, LIMITS)).toEqual({ after: quiet.head, through: quiet.head + 1 });
  expect(coverTail([], quiet.snapshotPosition, sealedThrough(quiet.index))).toEqual([]);
});

test('INV-04: old changes that were sealed just now stay until their pages are gone', () => {
  const now = 100 * DAY_MS;
  const place = { after: 0, through: 2, level: 0, sha256: 'a', bytes: 1, rawBytes: 1, rows: 1 };
  const segment: Segment = { ...place, asOf: new Date(0).toISOString(), sealedAt: now };
  const index = { ...emptyIndex('Customer@org', 'g'), segments: [segment] };
  expect(retain(index, { now: now + 1, snapshotPosition: 2 }, LIMITS)).toEqual(index);
  const later = { now: now + LIMITS.pageLifeMs + 1, snapshotPosition: 2 };
  expect(retain(index, later, LIMITS)).toMatchObject({ segments: [], pagesGoneThrough: 2 });
});

test('a path is never more bytes than any other, and few requests for a store that is far behind', () => {
  const { index } = live(Array.from({ length: 200 }, () => ({ pages: 4, hours: 1, seal: true, snapshot: false, rows: 2 })));
  const sealed = sealedThrough(index);
  for (const behind of [1, 5, 40, 300, 790]) {
    const path = coverTail(index.segments, sealed - behind, sealed) ?? [];
    expect(path.length).toBeLessThanOrEqual(12);
    const smallest = index.segments.filter((segment) => segment.level === 0 && segment.through > sealed - behind);
    const cost = (segments: readonly Segment[]) => segments.reduce((sum, segment) => sum + segment.bytes + 4_096, 0);
    if (smallest.length * 4 >= behind) expect(cost(path)).toBeLessThanOrEqual(cost(smallest));
  }
});

test('a run that is too large to merge is promoted as it is, and the number of segments stays bounded', () => {
  const { index } = live(Array.from({ length: 500 }, () => ({ pages: 4, hours: 1, seal: true, snapshot: true, rows: 99 })));
  expect(index.segments.length).toBeLessThanOrEqual(LIMITS.segmentsMax);
  expect(Math.max(...index.segments.map((segment) => segment.rows))).toBe(99);
});

test('a cursor past the end, or before the first segment, has no path', () => {
  expect(coverTail([], 3, 3)).toEqual([]);
  expect(coverTail([], 3, 4)).toBeNull();
  expect(coverTail([], 5, 4)).toBeNull();
});

test('INV-04: a sealer that stood still for long, and knows an old head only, seals nothing again', () => {
  const { index, head } = live([{ pages: 10, hours: 1, seal: true, snapshot: false, rows: 1 }]);
  expect(nextSeal(index, head - 3, LIMITS)).toBeNull();
});
