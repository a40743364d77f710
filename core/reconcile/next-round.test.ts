import { expect, it } from 'vitest';
import type { FeedPlan, PlanResponse } from '../../protocol/messages/plan.ts';
import { nextRound } from './next-round.ts';
import { isCertified, outstandingFeeds } from './readiness.ts';

const sha = 'a'.repeat(64);
const snapshot = { position: 3, root: sha, rows: 1, bytes: 1, manifestSha256: sha, manifestUrl: 'memory:' };
const scope: PlanResponse['components'] = [
  { component: 'Customer', status: 'ENABLED', feeds: ['Customer@org'] },
  { component: 'Tasks', status: 'ENABLED', feeds: ['Tasks@store:S1'] },
  { component: 'Stores', status: 'ENABLED', feeds: ['Stores@org'] },
];
const plans: FeedPlan[] = [
  { feed: 'Customer@org', action: 'reconcile', generation: 'g', head: 3, asOf: null, snapshot },
  { feed: 'Tasks@store:S1', action: 'tail', generation: 'g', head: 2, asOf: null, segments: [], passes: null, pages: [], more: true },
  { feed: 'Stores@org', action: 'wait', generation: 'g', head: 2, retryAfterMs: 700, reason: 'NO_SNAPSHOT' },
  { feed: 'Reminders@store:S2', action: 'leave' },
];

it('sorts an answer of head office into what to do, and loads in bulk only into nothing', () => {
  const round = nextRound({ feeds: plans, components: scope }, { empty: true, feeds: ['Customer@org', 'Reminders@store:S2'] });
  expect(round).toMatchObject({
    leave: ['Reminders@store:S2'],
    waiting: ['Stores@org'],
    retryAfterMs: 700,
    mode: 'bulk',
    more: true,
    tails: [],
  });
  expect(round.snapshots.map((plan) => plan.feed)).toEqual(['Customer@org']);
  expect(nextRound({ feeds: plans, components: scope }, { empty: false, feeds: [] }).mode).toBe('in-place');
});

it('INV-40: a feed that is not this store’s is left, also one that was never asked for because it has no cursor', () => {
  const answer = { feeds: plans.filter(({ action }) => action !== 'leave'), components: scope };
  expect(nextRound(answer, { empty: false, feeds: ['Stores@org', 'Associates@store:S1'] }).leave).toEqual(['Associates@store:S1']);
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
