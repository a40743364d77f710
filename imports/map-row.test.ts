import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowMapper } from './map-row.ts';
import type { Condition, Source } from './mapping.ts';

/** One row through one field, and identities over many rows. */
const mapperOf = (source: Source, when?: Condition) =>
  new RowMapper({ targets: [{ collection: 'bill', fields: { field: source }, ...(when === undefined ? {} : { when }) }] });
const valueOf = (source: Source, row: Record<string, string>) => mapperOf(source).map(row)[0]?.record?.['field'];
const issuesOf = (source: Source, row: Record<string, string>) => mapperOf(source).map(row)[0]?.issues;

test.each<[Source, Record<string, string>, unknown]>([
  [{ value: 'GBP' }, {}, 'GBP'],
  [{ column: 'a' }, { a: '  x ' }, 'x'],
  [{ column: 'a' }, { a: '   ' }, undefined],
  [{ column: 'a' }, {}, undefined],
  [{ column: 'constructor' }, {}, undefined],
  [{ column: 'a', as: 'integer' }, { a: '12.0' }, 12],
  [{ column: 'a', as: 'decimal', scale: 2 }, { a: '-1.005' }, '-1.01'],
  [{ column: 'a', as: 'decimal', scale: 2, sign: 'flip' }, { a: '-1' }, '1'],
  [{ column: 'a', as: 'decimal', scale: 2, sign: 'flip' }, { a: '-0.0' }, '0'],
  [{ column: 'a', as: 'decimal', scale: 2, sign: 'drop' }, { a: '-1' }, '1'],
  [{ column: 'a', as: 'date', format: 'd.M.yyyy' }, { a: '1.2.2026' }, '2026-02-01'],
  [{ column: 'a', as: 'code', codes: { m: 'MALE' } }, { a: 'm' }, 'MALE'],
  [{ object: { x: { column: 'a' }, y: { column: 'b' } } }, { a: '1', b: '' }, { x: '1' }],
  [{ object: { x: { column: 'a' } } }, { a: '' }, undefined],
])('%j of %j', (source, row, value) => {
  expect(valueOf(source, row)).toEqual(value);
});

test('the first case that holds is taken; when none does there is no value', () => {
  const source: Source = {
    cases: [
      { when: { column: 'n', startsWith: 'C' }, use: { value: 'cancelled' } },
      { when: { column: 'n', below: 10 }, use: { value: 'small' } },
    ],
  };
  expect(valueOf(source, { n: 'C3' })).toBe('cancelled');
  expect(valueOf(source, { n: '3' })).toBe('small');
  expect(valueOf(source, { n: '30' })).toBeUndefined();
});

test.each<[Condition, Record<string, string>, boolean]>([
  [{ column: 'a', is: 'empty' }, { a: ' ' }, true],
  [{ column: 'a', is: 'present' }, { a: ' ' }, false],
  [{ column: 'a', below: 0 }, { a: '-0.01' }, true],
  [{ column: 'a', below: 0 }, { a: '0' }, false],
  [{ column: 'a', below: 0 }, { a: '' }, false],
  [{ column: 'a', below: 0 }, { a: 'minus one' }, false],
  [{ column: 'a', equals: 'x' }, { a: ' x' }, true],
  [{ not: { column: 'a', equals: 'x' } }, { a: 'y' }, true],
  [
    {
      all: [
        { column: 'a', is: 'present' },
        { column: 'b', is: 'present' },
      ],
    },
    { a: '1', b: '' },
    false,
  ],
  [
    {
      any: [
        { column: 'a', is: 'present' },
        { column: 'b', is: 'present' },
      ],
    },
    { a: '1', b: '' },
    true,
  ],
])('%j for %j is %s', (when, row, holds) => {
  expect(mapperOf({ value: 1 }, when).map(row)).toHaveLength(holds ? 1 : 0);
});

test('what does not convert rejects that record and says why; the other records of the row go on', () => {
  const mapper = new RowMapper({
    targets: [
      { collection: 'customer', fields: { user_id: { column: 'id' } } },
      { collection: 'bill', fields: { amount: { column: 'total', as: 'decimal', scale: 2 }, number: { column: 'id' } } },
    ],
  });
  expect(mapper.map({ id: '7', total: 'ten' })).toEqual([
    { collection: 'customer', record: { user_id: '7' }, issues: [] },
    { collection: 'bill', record: null, issues: [{ field: 'amount', reason: '"ten" is not a number' }] },
  ]);
  expect(issuesOf({ column: 'a', as: 'code', codes: { m: 'MALE' } }, { a: 'constructor' })).toEqual([
    { field: 'field', reason: '"constructor" is none of m' },
  ]);
  expect(issuesOf({ object: { n: { column: 'a', as: 'integer' } } }, { a: 'x' })).toEqual([
    { field: 'field', reason: 'n: "x" is not a whole number' },
  ]);
});

const IDENTITY: Source = { identity: { column: 'number', of: ['day', 'total'] } };
const idsOf = (rows: readonly Record<string, string>[]): unknown[] => {
  const mapper = mapperOf(IDENTITY);
  return rows.map((row) => mapper.map(row)[0]?.record?.['field']);
};

test('a number used twice is two ids, and rows that are the same in everything get .2, .3', () => {
  const row = { number: '536', day: '1/1', total: '5' };
  const [first, other, ...repeats] = idsOf([row, { ...row, total: '6' }, row, row]);
  expect(first).toMatch(/^536\.[0-9a-f]{8}$/);
  expect(other).toMatch(/^536\.[0-9a-f]{8}$/);
  expect(other).not.toBe(first);
  expect(repeats).toEqual(['.2', '.3'].map((end) => String(first) + end));
});

test('no number, no id', () => {
  expect(valueOf(IDENTITY, { number: ' ', day: '1/1', total: '5' })).toBeUndefined();
});

test('ids are the same in any order of rows, and none is given twice', () => {
  const cell = fc.constantFrom('1', '2', '3');
  const rows = fc.array(fc.record({ number: cell, day: cell, total: cell }), { maxLength: 40 });
  const shuffled = rows.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      const ids = idsOf(list);
      expect(new Set(ids).size).toBe(list.length);
      expect(new Set(idsOf(other))).toEqual(new Set(ids));
    }),
  );
});
