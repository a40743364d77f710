import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLOCK_AHEAD_MAX_MS, asReceived, clockAt, nextTick } from './hybrid-clock.ts';

const ms = fc.integer({ min: 1_500_000_000_000, max: 2_500_000_000_000 });

test('it never goes back and never stands still, whatever the wall clock does', () => {
  fc.assert(
    fc.property(fc.array(ms, { minLength: 2 }), (walls) => {
      let last = 0;
      for (const wall of walls) {
        const tick = nextTick(last, wall);
        expect(tick).toBeGreaterThan(last);
        expect(tick).toBeGreaterThanOrEqual(clockAt(wall));
        expect(Number.isSafeInteger(tick)).toBe(true);
        last = tick;
      }
    }),
  );
});

test('a clock that runs ahead counts as five minutes ahead, one that is behind as it is', () => {
  const now = 1_790_000_000_000;
  const counted = (ahead: number, place = 0) => asReceived({ clock: clockAt(now + ahead) }, { receivedAt: now, place }).clock;
  expect(counted(86_400_000)).toBe(clockAt(now + CLOCK_AHEAD_MAX_MS) + 1);
  expect(counted(-86_400_000)).toBe(clockAt(now - 86_400_000));
  expect(counted(60_000)).toBe(clockAt(now + 60_000));
});

test('INV-19: changes of one store that came in together stay in their order, however far its clock is ahead', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -400_000, max: 90_000_000 }), { minLength: 2, maxLength: 99 }), (aheads) => {
      const now = 1_790_000_000_000;
      const clocks = aheads.toSorted((a, b) => a - b).map((ahead, place) => clockAt(now + ahead) + place);
      const counted = clocks.map((clock, place) => asReceived({ clock }, { receivedAt: now, place }).clock);
      expect(counted).toEqual(counted.toSorted((a, b) => a - b));
      expect(new Set(counted).size).toBe(counted.length);
      expect(Math.max(...counted)).toBeLessThanOrEqual(clockAt(now + CLOCK_AHEAD_MAX_MS) + 99);
    }),
  );
});
