import { expect, test } from 'vitest';
import { clockSkew, describeSkew } from './clock-skew.ts';
import { limits } from './limits.ts';

test.each([
  [0, '+0 s'],
  [-400, '+0 s'],
  [12_400, '+12 s'],
  [-61_000, '-1 min 1 s'],
  [3_600_000, '+1 h'],
  [-3 * 86_400_000 - 5_000, '-3 d 5 s'],
])('%d ms is %s', (ms, text) => {
  expect(describeSkew(ms)).toBe(text);
});

test('a clock is off above five minutes, either way, and then there is something to do', () => {
  for (const sign of [1, -1]) {
    expect(clockSkew(sign * limits.clockOffMs)).toEqual({ skewMs: sign * limits.clockOffMs, isOff: false, remedy: null });
    expect(clockSkew(sign * (limits.clockOffMs + 1))).toMatchObject({ isOff: true, remedy: expect.stringContaining('NTP') as string });
  }
});
