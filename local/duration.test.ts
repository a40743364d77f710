import fc from 'fast-check';
import { expect, test } from 'vitest';
import { durationMs } from './duration.ts';

test.each([
  ['5s', 5_000],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['24h', 86_400_000],
])('%s', (text, ms) => {
  expect(durationMs('--hour', text)).toBe(ms);
});

test.each(['', '5', 's', '0s', '-1s', '1.5h', '25h', '5 s', '5S', '1d'])('%j is refused', (text) => {
  expect(() => durationMs('--hour', text)).toThrow(/--hour .* is not a duration/);
});

test('anything else is refused or a time from a second to a day', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,9}[smhd]?$/)), (text) => {
      let ms = 1_000;
      try {
        ms = durationMs('--hour', text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_INPUT' });
      }
      expect(ms).toBeGreaterThanOrEqual(1_000);
      expect(ms).toBeLessThanOrEqual(86_400_000);
    }),
  );
});
