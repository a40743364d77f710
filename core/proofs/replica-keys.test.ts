import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import { isNewKeyDue, keysOf } from './replica-keys.ts';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(start + ms).toISOString();
const [old, next] = ['a', 'b'].map((x) => ({ kty: 'EC', crv: 'P-256', x, y: x }) as const) as [never, never];
const key = { publicKey: old, enrolledAt: at(0) };

test('INV-55: two keys for a day, then only the new one', () => {
  const both = { ...key, nextKey: { publicKey: next, since: at(0) } };
  expect(keysOf(key, start)).toEqual([old]);
  expect(keysOf(both, start)).toEqual([old, next]);
  expect(keysOf(both, start + limits.keyOverlapMs - 1)).toEqual([old, next]);
  expect(keysOf(both, start + limits.keyOverlapMs)).toEqual([next]);
});

test.each([
  ['a young one', key, 0, false],
  ['one of 90 days, since the enrolment', key, limits.keyLifeMs, true],
  ['one that is younger than its replica', { ...key, keySince: at(1) }, limits.keyLifeMs, false],
  ['one that somebody wants to be another', { ...key, newKeyAskedAt: at(1) }, 2, true],
  ['one that came after somebody asked', { ...key, newKeyAskedAt: at(1), keySince: at(2) }, 3, false],
  ['one whose next is known', { ...key, nextKey: { publicKey: next, since: at(1) } }, 2, true],
])('another key is due: %s', (_, replica, after, isDue) => {
  expect(isNewKeyDue(replica, start + after)).toBe(isDue);
});
