import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import type { PlanRequest, PlanResponse } from '../../protocol/messages/plan.ts';
import { admit } from './admit.ts';

const snapshot = { position: 3, root: 'r', rows: 1, bytes: 1, manifestSha256: 'm', manifestUrl: 'u' };
const answer = {
  feeds: [
    { feed: 'Customer@org', action: 'reconcile', generation: 'g', head: 3, asOf: null, snapshot },
    { feed: 'Tasks@store:S1', action: 'wait', generation: 'g', head: 1, retryAfterMs: 1_000, reason: 'NO_SNAPSHOT' },
  ],
} as unknown as PlanResponse;
const fresh = { feeds: [] } as unknown as PlanRequest;
const known = { feeds: [{ feed: 'Customer@org', generation: 'g', position: 1, want: 'tail' }] } as unknown as PlanRequest;
const deps = (free: boolean) => {
  const asked: string[] = [];
  return {
    asked,
    clock: { now: () => 5_000 },
    slots: {
      take: (storeId: string) => {
        asked.push(storeId);
        return Promise.resolve(free);
      },
      release: () => Promise.resolve(),
    },
  };
};

test('a store that has anything asks for no slot', async () => {
  const free = deps(false);
  expect(await admit(free, { storeId: 'S1', replicaId: 'S1:r', request: known }, answer)).toBe(answer);
  expect(await admit(free, { storeId: 'S1', replicaId: 'S1:r', request: fresh }, { ...answer, feeds: [] })).toEqual({
    ...answer,
    feeds: [],
  });
  expect(free.asked).toEqual([]);
});

test('a store that has nothing loads when there is a slot, and waits otherwise, each for another time', async () => {
  expect(await admit(deps(true), { storeId: 'S1', replicaId: 'S1:r', request: fresh }, answer)).toBe(answer);
  const waits = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const { feeds } = await admit(deps(false), { storeId: `S${index}`, replicaId: `S${index}:r`, request: fresh }, answer);
      expect(feeds.map(({ action }) => action)).toEqual(['wait', 'wait']);
      return (feeds[0] as { retryAfterMs: number }).retryAfterMs;
    }),
  );
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(limits.freshRetryMs);
  expect(Math.max(...waits)).toBeLessThan(limits.freshRetryMs * 2);
  expect(new Set(waits).size).toBeGreaterThan(45);
});

test('the replicas of a store ask for one slot', async () => {
  const one = deps(true);
  for (const replicaId of ['S1:r', 'S1:copy']) await admit(one, { storeId: 'S1', replicaId, request: fresh }, answer);
  expect(one.asked).toEqual(['S1', 'S1']);
});
