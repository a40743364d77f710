import { BrokenCircuitError } from 'cockatiel';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createBreaker } from './retry.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

test('after trouble nothing is tried for a while; then once, and success closes it', async () => {
  const breaker = createBreaker(20, 40);
  let tries = 0;
  const failing = () => {
    tries += 1;
    return Promise.reject(new Error('busy'));
  };
  await expect(breaker.execute(failing)).rejects.toThrow('busy');
  for (let index = 0; index < 5; index += 1) await expect(breaker.execute(failing)).rejects.toBeInstanceOf(BrokenCircuitError);
  expect(tries).toBe(1);
  // The wait is at random, and never longer than the longest.
  vi.setSystemTime(Date.now() + 41);
  await expect(breaker.execute(() => Promise.resolve('fine'))).resolves.toBe('fine');
  await expect(breaker.execute(() => Promise.resolve('fine'))).resolves.toBe('fine');
});
