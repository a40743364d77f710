import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FeedState, SnapshotPointer } from '../ports/feed-store.ts';
import { decideFeed } from './decide-feed.ts';

const pointer = (position: number, generation = 'g'): SnapshotPointer => ({
  feed: 'Customer@org',
  generation,
  position,
  manifestSha256: 'm',
  root: 'r',
  rows: 0,
  bytes: 0,
  chunks: 0,
});
const state = (head: number, snapshot: SnapshotPointer | null): FeedState => ({
  head: { feed: 'Customer@org', generation: 'g', position: head, asOf: null },
  snapshot,
});
const decide = (input: Partial<Parameters<typeof decideFeed>[0]> & { state: FeedState }) =>
  decideFeed({ cursor: null, want: 'tail', tailPagesMax: 10, ...input });

test.each([
  ['never synced, no snapshot', decide({ state: state(0, null) }), { action: 'wait', ring: true }],
  ['never synced, an empty snapshot', decide({ state: state(0, pointer(0)) }), { action: 'reconcile', snapshot: pointer(0), ring: false }],
  [
    'up to date',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 5 } }),
    { action: 'tail', after: 5, ring: false },
  ],
  [
    'a little behind',
    decide({ state: state(5, pointer(3)), cursor: { generation: 'g', position: 1 } }),
    { action: 'tail', after: 1, ring: false },
  ],
  [
    'far behind',
    decide({ state: state(50, pointer(45)), cursor: { generation: 'g', position: 1 } }),
    { action: 'reconcile', snapshot: pointer(45), ring: false },
  ],
  [
    'far behind, and so is the snapshot',
    decide({ state: state(50, pointer(3)), cursor: { generation: 'g', position: 1 } }),
    { action: 'reconcile', snapshot: pointer(3), ring: true },
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
      const decision = decide({ state: state(head, pointer(Math.min(a, b))), cursor: { generation: 'g', position }, want });
      if (decision.action === 'reconcile' && position <= head) expect(decision.snapshot.position).toBeGreaterThanOrEqual(position);
      if (decision.action === 'tail') expect(decision.after).toBe(position);
    }),
  );
});
