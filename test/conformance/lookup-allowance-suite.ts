import { expect, test } from 'vitest';
import type { LookupAllowance } from '../../core/ports/lookup-allowance.ts';

/** What every count of look-ups promises. */
export function lookupAllowanceSuite(open: () => Promise<LookupAllowance>): void {
  test('as many as there are in an hour, also at the same time, and again in the next', async () => {
    const allowance = await open();
    const take = (hour: string, store = 'S1') => allowance.take(store, hour, 3);
    const first = await Promise.all(Array.from({ length: 6 }, () => take('2026-11-23T08')));
    // The very first ones may meet while there is no item; nobody gets more than there is.
    expect(first.filter(Boolean).length).toBeGreaterThan(0);
    for (let left = 3 - first.filter(Boolean).length; left > 0; left -= 1) expect(await take('2026-11-23T08')).toBe(true);
    expect(await take('2026-11-23T08')).toBe(false);
    expect(await take('2026-11-23T08', 'S2')).toBe(true);
    expect(await take('2026-11-23T09')).toBe(true);
  });
}
