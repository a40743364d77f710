import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLOCK_AHEAD_MAX_MS, clampClock, clockAt, nextTick } from './hybrid-clock.ts';

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
  expect(clampClock(clockAt(now + 86_400_000), now)).toBe(clockAt(now + CLOCK_AHEAD_MAX_MS));
  expect(clampClock(clockAt(now - 86_400_000), now)).toBe(clockAt(now - 86_400_000));
});
