import { expect, it } from 'vitest';
import type { FeedPlan } from '../../protocol/messages/plan.ts';
import { nextRound } from './next-round.ts';
import { isCertified, outstandingFeeds } from './readiness.ts';

const sha = 'a'.repeat(64);
const snapshot = { position: 3, root: sha, rows: 1, bytes: 1, manifestSha256: sha, manifestUrl: 'memory:' };
const plans: FeedPlan[] = [
  { feed: 'Customer@org', action: 'reconcile', generation: 'g', head: 3, asOf: null, snapshot },
  { feed: 'Tasks@store:S1', action: 'tail', generation: 'g', head: 2, asOf: null, segments: [], passes: null, pages: [], more: true },
  { feed: 'Stores@org', action: 'wait', generation: 'g', head: 2, retryAfterMs: 700, reason: 'NO_SNAPSHOT' },
  { feed: 'Reminders@store:S2', action: 'leave' },
];

it('sorts an answer of head office into what to do, and loads in bulk only into nothing', () => {
  const round = nextRound(plans, { empty: true });
  expect(round).toMatchObject({
    leave: ['Reminders@store:S2'],
    waiting: ['Stores@org'],
    retryAfterMs: 700,
    mode: 'bulk',
    more: true,
    tails: [],
  });
  expect(round.snapshots.map((plan) => plan.feed)).toEqual(['Customer@org']);
  expect(nextRound(plans, { empty: false }).mode).toBe('in-place');
});

it('INV-09: a store is complete only with a certificate of the present generation for every feed of every enabled component', () => {
  const components = [
    { component: 'Customer' as const, status: 'ENABLED' as const, feeds: ['Customer@org' as const] },
    { component: 'Tasks' as const, status: 'NOT_ENABLED' as const, feeds: [] },
  ];
  const cursor = { generation: 'g', position: 5 };
  const standing = (certificate: typeof cursor | null) => [{ feed: 'Customer@org' as const, cursor, certificate, generation: 'g' }];
  expect(outstandingFeeds(components, [])).toEqual([{ component: 'Customer', feed: 'Customer@org', reason: 'NEVER_SYNCED' }]);
  expect(outstandingFeeds(components, standing(null))).toEqual([{ component: 'Customer', feed: 'Customer@org', reason: 'NOT_CERTIFIED' }]);
  expect(outstandingFeeds(components, standing({ generation: 'old', position: 5 }))).toHaveLength(1);
  expect(outstandingFeeds(components, standing({ generation: 'g', position: 4 }))).toEqual([]);
  expect(outstandingFeeds(components, [{ ...standing(cursor)[0]!, generation: 'restored' }])).toHaveLength(1);
  expect(isCertified({ cursor: null, certificate: cursor, generation: 'g' })).toBe(false);
});
