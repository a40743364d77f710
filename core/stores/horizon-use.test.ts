import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import { horizonUse } from './horizon-use.ts';

const heard = '2026-01-01T00:00:00.000Z';
const after = (part: number) => horizonUse(heard, Date.parse(heard) + part * limits.horizonMs);

test.each([
  [0, { percent: 0, level: 'FINE' }],
  [-0.1, { percent: 0, level: 'FINE' }],
  [0.499, { percent: 49, level: 'FINE' }],
  [0.5, { percent: 50, level: 'HALF' }],
  [0.799, { percent: 79, level: 'HALF' }],
  [0.8, { percent: 80, level: 'NEAR' }],
  [1, { percent: 100, level: 'BEYOND' }],
  [3, { percent: 300, level: 'BEYOND' }],
])('after %d of the horizon: %o', (part, use) => {
  expect(after(part)).toEqual(use);
});
