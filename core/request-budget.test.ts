import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bucket, isFull, spend } from './request-budget.ts';

const budgets = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 200 }) });
/** Milliseconds between one request and the next; a clock may go back. */
const gaps = fc.array(fc.integer({ min: -500, max: 5_000 }), { maxLength: 300 });

test('in no stretch of time more than the burst and what the rate gives for it', () => {
  fc.assert(
    fc.property(budgets, gaps, (budget, waits) => {
      let bucket: Bucket | null = null;
      let now = 0;
      let latest = 0;
      const taken: number[] = [];
      for (const wait of waits) {
        now += wait;
        latest = Math.max(latest, now);
        const spent = spend(budget, bucket, now);
        bucket = spent.bucket;
        if (spent.waitMs === 0) taken.push(latest);
      }
      for (const [from, start] of taken.entries())
        for (let to = from; to < taken.length; to += 1)
          expect(to - from + 1).toBeLessThanOrEqual(budget.burst + (((taken[to] ?? 0) - start) / 1_000) * budget.perSecond + 1e-6);
    }),
  );
});

test('whoever waits as long as it was told may, and one millisecond before that may not by more than rounding', () => {
  fc.assert(
    fc.property(budgets, fc.integer({ min: 1, max: 400 }), (budget, requests) => {
      let bucket: Bucket | null = null;
      let now = 0;
      for (let count = 0; count < requests; count += 1) {
        const spent = spend(budget, bucket, now);
        bucket = spent.bucket;
        if (spent.waitMs === 0) continue;
        expect(spend(budget, bucket, now + spent.waitMs - 2).waitMs).toBeGreaterThan(0);
        now += spent.waitMs;
        const again = spend(budget, bucket, now);
        expect(again.waitMs).toBe(0);
        bucket = again.bucket;
      }
    }),
  );
});

test('a caller that was quiet for long enough is as good as one that was never seen', () => {
  const budget = { perSecond: 2, burst: 10 };
  const { bucket } = spend(budget, null, 0);
  expect([isFull(budget, bucket, 499), isFull(budget, bucket, 500)]).toEqual([false, true]);
});
