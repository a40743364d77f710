import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkStarts, isBoundary } from './chunk-boundaries.ts';

const sizes = { rowsTarget: 16, rowsMax: 32 };
const sortedKeys = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { minLength: 1, maxLength: 600 }).map((keys) => keys.sort());

test('no chunk has more rows than the maximum, whatever the keys', () => {
  fc.assert(
    fc.property(sortedKeys, (keys) => {
      const starts = chunkStarts(keys, sizes);
      const lengths = starts.map((start, index) => (starts[index + 1] ?? keys.length) - start);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(sizes.rowsMax);
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(keys.length);
      expect(starts[0]).toBe(0);
    }),
  );
});

test('a new key changes chunks only between the two level-0 boundaries around it', () => {
  fc.assert(
    fc.property(sortedKeys, fc.stringMatching(/^[a-z0-9]{1,8}$/), (keys, extra) => {
      const after = [...new Set([...keys, extra])].sort();
      const at = after.indexOf(extra);
      const isGroup = (index: number) => index === 0 || isBoundary(after[index] as string, 0, sizes);
      let from = at;
      while (!isGroup(from)) from -= 1;
      let to = at + 1;
      while (to < after.length && !isGroup(to)) to += 1;
      const outside = (start: string) => start < (after[from] as string) || (to < after.length && start >= (after[to] as string));
      const heads = (list: readonly string[]) =>
        chunkStarts(list, sizes)
          .map((index) => list[index] as string)
          .filter(outside);
      expect(heads(after)).toEqual(heads(keys));
    }),
  );
});

test('groups have about the target size for sequential and for random keys', () => {
  for (const make of [(index: number) => String(1_000_000 + index), (index: number) => Math.imul(index, 2_654_435_761).toString(36)]) {
    const keys = Array.from({ length: 200_000 }, (_, index) => make(index)).sort();
    const boundaries = keys.filter((key) => isBoundary(key, 0, { rowsTarget: 2_000, rowsMax: 4_000 })).length;
    expect(boundaries).toBeGreaterThan(70);
    expect(boundaries).toBeLessThan(130);
  }
});
