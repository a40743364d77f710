import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import { proofWindow } from './proof-window.ts';

test('INV-54: of two proofs that are good at one moment none takes the place of the other’s window', () => {
  const near = fc.integer({ min: -limits.requestSkewMs, max: limits.requestSkewMs });
  fc.assert(
    fc.property(fc.integer({ min: 1.7e12, max: 2e12 }), near, near, (now, one, other) => {
      const [a, b] = [proofWindow(now + one), proofWindow(now + other)];
      expect(a.place === b.place).toBe(a.window === b.window);
    }),
  );
});
