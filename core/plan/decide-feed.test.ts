import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FeedState, SnapshotPointer } from '../ports/feed-store.ts';
import type { Segment, SegmentIndex } from '../segments/segment.ts';
import { decideFeed } from './decide-feed.ts';

const pointer = (position: number, generation = 'g'): SnapshotPointer => ({
  feed: 'Customer@org',
  generation,
  position,
  manifestSha256: 'm',
  root: 'r',
  rows: 0,
  bytes: 1_000,
  chunks: 0,
});
const segment = (after: number, through: number, bytes = 10): Segment => ({
  after,
  through,
  level: 0,
  sha256: `${after}-${through}`,
  bytes,
  rawBytes: 0,
  rows: 0,
  asOf: '2026-11-23T08:00:00.000Z',
  sealedAt: 0,
});
const LATER = Date.parse('2027-01-23T08:00:00Z');
const index = (...segments: Segment[]): SegmentIndex => ({
  feed: 'Customer@org',
  generation: 'g',
  version: 1,
  segments,
  pagesGoneThrough: 0,
});
const state = (head: number, snapshot: SnapshotPointer | null): FeedState => ({
  head: { feed: 'Customer@org', generation: 'g', position: head, asOf: null },
  snapshot,
});
const decide = (input: Partial<Parameters<typeof decideFeed>[0]> & { state: FeedState }) =>
  decideFeed({ cursor: null, want: 'tail', index: null, snapshotPagesBehindMax: 10, horizonAt: 0, ...input });

test.each([
  ['never synced, no snapshot', decide({ state: state(0, null) }), { action: 'wait', ring: true }],
  ['never synced, an empty snapshot', decide({ state: state(0, pointer(0)) }), { action: 'reconcile', snapshot: pointer(0), ring: false }],
  [
    'up to date',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 5 } }),
    { action: 'tail', after: 5, segments: [], pagesAfter: 5, passes: null, ring: false },
  ],
  [
    'a little behind, nothing sealed',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 1 }, index: index() }),
    { action: 'tail', after: 1, segments: [], pagesAfter: 1, passes: null, ring: false },
  ],
  [
    'behind what is sealed, past a snapshot',
    decide({ state: state(50, pointer(20)), cursor: { generation: 'g', position: 9 }, index: index(segment(0, 20), segment(20, 40)) }),
    { action: 'tail', after: 9, segments: [segment(0, 20), segment(20, 40)], pagesAfter: 40, passes: pointer(20), ring: false },
  ],
  [
    'a large segment that does not stop at the snapshot',
    decide({ state: state(50, pointer(20)), cursor: { generation: 'g', position: 9 }, index: index(segment(0, 40)) }),
    { action: 'tail', after: 9, segments: [segment(0, 40)], pagesAfter: 40, passes: null, ring: false },
  ],
  [
    'segments up to the snapshot are more bytes than the snapshot',
    decide({ state: state(50, pointer(20)), cursor: { generation: 'g', position: 9 }, index: index(segment(0, 20, 2_000)) }),
    { action: 'reconcile', snapshot: pointer(20), ring: true },
  ],
  [
    'segments are more bytes than a snapshot, but only after it',
    decide({ state: state(50, pointer(9)), cursor: { generation: 'g', position: 9 }, index: index(segment(0, 20, 2_000)) }),
    { action: 'tail', after: 9, segments: [segment(0, 20, 2_000)], pagesAfter: 20, passes: null, ring: false },
  ],
  [
    'behind the horizon',
    decide({ state: state(50, pointer(45)), cursor: { generation: 'g', position: 1 }, index: index(segment(30, 45)) }),
    { action: 'reconcile', snapshot: pointer(45), ring: false },
  ],
  [
    'behind the horizon, and the snapshot is old',
    decide({ state: state(50, pointer(31)), cursor: { generation: 'g', position: 1 }, index: index(segment(30, 45)) }),
    { action: 'reconcile', snapshot: pointer(31), ring: true },
  ],
  [
    'a feed that was quiet for longer than objects of segments are kept: the snapshot has all of it',
    decide({ state: state(20, pointer(20)), cursor: { generation: 'g', position: 9 }, index: index(segment(0, 20)), horizonAt: LATER }),
    { action: 'reconcile', snapshot: pointer(20), ring: false },
  ],
  [
    'the same, with changes after it',
    decide({
      state: state(50, pointer(20)),
      cursor: { generation: 'g', position: 20 },
      index: index(segment(0, 20), segment(20, 40)),
      horizonAt: LATER,
    }),
    { action: 'tail', after: 20, segments: [segment(20, 40)], pagesAfter: 40, passes: null, ring: false },
  ],
  [
    'the same, for a store that has it all',
    decide({ state: state(20, pointer(20)), cursor: { generation: 'g', position: 20 }, horizonAt: LATER }),
    { action: 'tail', after: 20, segments: [], pagesAfter: 20, passes: null, ring: false },
  ],
  [
    'another generation',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'old', position: 4 } }),
    { action: 'reconcile', snapshot: pointer(3), ring: false },
  ],
  [
    'past the head: head office was restored',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 9 } }),
    { action: 'reconcile', snapshot: pointer(3), ring: false },
  ],
  ['the snapshot is of another generation', decide({ state: state(5, pointer(3, 'old')) }), { action: 'wait', ring: true }],
  [
    'wants a snapshot and there is one past it',
    decide({ state: state(5, pointer(4)), cursor: { generation: 'g', position: 4 }, want: 'snapshot' }),
    { action: 'reconcile', snapshot: pointer(4), ring: false },
  ],
  [
    'wants a snapshot, but the newest is behind it',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 4 }, want: 'snapshot' }),
    { action: 'wait', ring: true },
  ],
])('%s', (_, decision, expected) => {
  expect(decision).toEqual(expected);
});

test('INV-05: a snapshot behind a valid cursor is never offered', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.nat(60), fc.constantFrom('tail' as const, 'snapshot' as const), (a, b, position, want) => {
      const head = Math.max(a, b);
      const sealed = index(segment(0, Math.min(a, b)));
      const decision = decide({ state: state(head, pointer(Math.min(a, b))), cursor: { generation: 'g', position }, want, index: sealed });
      if (decision.action === 'reconcile' && position <= head) expect(decision.snapshot.position).toBeGreaterThanOrEqual(position);
      if (decision.action === 'tail') expect(decision.after).toBe(position);
    }),
  );
});
