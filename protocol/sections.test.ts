import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PutRow, type Section, BLOCK_ROWS, decodeSections, encodeSections, pruneColumns, readSections } from './sections.ts';
import { isSyncError } from './sync-error.ts';

const value = fc.oneof(fc.string(), fc.maxSafeInteger(), fc.constant(null));
const puts = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.nat(), value, value).map((row): PutRow => row));
const section: fc.Arbitrary<Section> = fc.oneof(
  fc.record({ kind: fc.constant('puts' as const), collection: fc.string(), columns: fc.constant(['a', 'b']), rows: puts }),
  fc.record({ kind: fc.constant('tombstones' as const), collection: fc.string(), rows: fc.array(fc.tuple(fc.string(), fc.nat())) }),
);

test('sections survive the way there and back', () => {
  fc.assert(
    fc.property(fc.array(section), (sections) => {
      expect(decodeSections(Buffer.from(encodeSections(sections)))).toEqual(sections);
    }),
  );
});

test('text that is cut off or foreign is INTEGRITY, never half a result', () => {
  fc.assert(
    fc.property(fc.array(section, { minLength: 1 }), fc.nat(), (sections, cut) => {
      const text = encodeSections(sections);
      const part = Buffer.from(text.slice(0, cut % (text.length - 1)) + 'x');
      try {
        decodeSections(part);
        expect.unreachable();
      } catch (error) {
        expect(isSyncError(error, 'INTEGRITY')).toBe(true);
      }
    }),
  );
  expect(() => decodeSections(Buffer.from('<html>\n<body>\n'))).toThrow(/not JSON/);
});

test('columns without a value are left out, and nothing else', () => {
  const rows: PutRow[] = [
    ['1', 1, null, 'x', 0],
    ['2', 2, null, null, null],
  ];
  expect(pruneColumns('c', ['a', 'b', 'd'], rows)).toEqual({
    kind: 'puts',
    collection: 'c',
    columns: ['b', 'd'],
    rows: [
      ['1', 1, 'x', 0],
      ['2', 2, null, null],
    ],
  });
});

test('a long section comes in blocks, and none is parsed before it is taken', () => {
  const rows = Array.from({ length: BLOCK_ROWS * 2 + 5 }, (_, index): PutRow => [`k${index}`, index + 1, index, null]);
  const text = encodeSections([
    { kind: 'puts', collection: 'c', columns: ['a', 'b'], rows },
    { kind: 'tombstones', collection: 'c', rows: [['gone', 7]] },
  ]);
  const bytes = Buffer.from(text);
  expect(decodeSections(bytes)[0]?.rows).toEqual(rows);
  const [first, second] = [...readSections(bytes)];
  expect([...(first?.blocks ?? [])].map((block) => block.keys.length)).toEqual([BLOCK_ROWS, BLOCK_ROWS, 5]);
  expect([...(second?.blocks ?? [])]).toEqual([{ keys: ['gone'], revs: [7], values: [] }]);
  const broken = Buffer.from(text.replace('"k2003"', '"k2003","k2003"'));
  expect(() => [...readSections(broken)].map((part) => [...part.blocks])).toThrow(/does not hold the rows/);
  expect(() => [...readSections(broken)]).not.toThrow();
});
