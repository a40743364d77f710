import { expect, test } from 'vitest';
import { RequestBudgets } from './request-budgets.ts';

const refusal = expect.objectContaining({ code: 'UNAVAILABLE', retryAfterMs: 500, status: 429 }) as unknown;

test('an agent that asks without end waits, and others do not', () => {
  const budgets = new RequestBudgets({ perSecond: 2, burst: 3 }, 10);
  for (let count = 0; count < 3; count += 1) budgets.take('S1:a', 0);
  expect(() => budgets.take('S1:a', 0)).toThrow(refusal);
  budgets.take('S2:a', 0);
  budgets.take('S1:a', 500);
  expect(() => budgets.take('S1:a', 500)).toThrow(refusal);
});

test('it keeps no more callers than it may, and first forgets those who were quiet', () => {
  const budgets = new RequestBudgets({ perSecond: 2, burst: 1 }, 2);
  budgets.take('quiet', 0);
  budgets.take('busy', 400);
  budgets.take('new', 500);
  expect(() => budgets.take('busy', 400)).toThrow();
  budgets.take('quiet', 500);
});
