import { expect, test } from 'vitest';
import type { WrongCodes } from '../../core/ports/wrong-codes.ts';

/** What every count of wrong codes promises. */
export function wrongCodesSuite(open: () => WrongCodes): void {
  test('each is counted in its hour, one after another and at the same moment, and by where it came from', async () => {
    const wrong = open();
    const [hour, next] = ['2026-11-23T08', '2026-11-23T09'];
    expect(await wrong.count('203.0.113.9', hour)).toBe(0);
    await wrong.note('203.0.113.9', hour);
    await Promise.all(Array.from({ length: 4 }, () => wrong.note('203.0.113.9', hour)));
    expect(await wrong.count('203.0.113.9', hour)).toBe(5);
    expect([await wrong.count('203.0.113.9', next), await wrong.count('2001:db8:1:2::/64', hour)]).toEqual([0, 0]);
    await wrong.note('203.0.113.9', next);
    expect(await wrong.count('203.0.113.9', next)).toBe(1);
  });
}
