import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sendAll } from './leftovers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what was left over is sent again, and nothing else', async () => {
  const sent: (readonly number[])[] = [];
  const done = sendAll('work', [1, 2, 3, 4], (items) => {
    sent.push(items);
    return Promise.resolve(items.slice(2));
  });
  await vi.runAllTimersAsync();
  await done;
  expect(sent).toEqual([
    [1, 2, 3, 4],
    [3, 4],
  ]);
});

test('it waits longer each time, and gives up with a typed error', async () => {
  const times: number[] = [];
  const done = expect(
    sendAll('work', ['a', 'b'], (items) => {
      times.push(Date.now());
      return Promise.resolve(items);
    }),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'work: 2 left over after 8 tries', retryAfterMs: 1_000 });
  await vi.runAllTimersAsync();
  await done;
  expect(times).toHaveLength(8);
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(Math.min(...waits)).toBeGreaterThan(0);
  expect(Math.max(...waits)).toBeLessThanOrEqual(2_000);
});

test('what is thrown is thrown at once, and nothing to do sends nothing', async () => {
  await expect(sendAll('work', [1], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await sendAll('work', [], () => Promise.reject(new Error('no')));
});
