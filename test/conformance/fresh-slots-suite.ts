import { expect, test } from 'vitest';
import type { FreshSlots } from '../../core/ports/fresh-slots.ts';

/** What every keeper of slots promises. */
export function freshSlotsSuite(open: (count: number) => Promise<FreshSlots>): void {
  const stores = Array.from({ length: 40 }, (_, index) => `S${index}`);
  const at = (now: number) => ({ now, until: now + 1_000 });

  test('no more stores have a slot than there are, and each keeps its own', async () => {
    const slots = await open(5);
    const taken = await Promise.all(stores.map((store) => slots.take(store, at(0))));
    const holders = stores.filter((_, index) => taken[index]);
    expect(holders.length).toBeGreaterThan(0);
    expect(holders.length).toBeLessThanOrEqual(5);
    for (const holder of holders) expect(await slots.take(holder, at(500))).toBe(true);
    const others = await Promise.all(stores.filter((store) => !holders.includes(store)).map((store) => slots.take(store, at(600))));
    expect(holders.length + others.filter(Boolean).length).toBeLessThanOrEqual(5);
  });

  test('a slot is free again when it is released or its time is over, and not before', async () => {
    const slots = await open(1);
    expect(await slots.take('A', at(10_000))).toBe(true);
    expect(await slots.take('B', at(10_999))).toBe(false);
    expect(await slots.take('B', at(11_000))).toBe(true);
    expect(await slots.take('A', at(11_500))).toBe(false);
    await slots.release('A');
    expect(await slots.take('A', at(11_500))).toBe(false);
    await slots.release('B');
    await slots.release('B');
    expect(await slots.take('A', at(11_500))).toBe(true);
  });
}
