import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatCode, normalizeCode } from './enrolment-code.ts';

test('a code holds all 128 bits, and reads the same typed badly', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const code = formatCode(bytes);
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5,6}){4}$/);
      expect(normalizeCode(` ${code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l')} `)).toBe(normalizeCode(code));
    }),
  );
  const codes = new Set(
    Array.from({ length: 128 }, (_, bit) =>
      formatCode(Uint8Array.from({ length: 16 }, (__, byte) => (byte === bit >> 3 ? 1 << (bit & 7) : 0))),
    ),
  );
  expect(codes.size).toBe(128);
});
