import fc from 'fast-check';
import { expect, test } from 'vitest';
import { negated, toBoolean, toDecimal, toIdOfNumber, toInteger } from './convert.ts';

/** The amount of money that is meant, whatever float noise a source has added to it. */
function exact(units: number, scale: number): string {
  const padded = String(Math.abs(units)).padStart(scale + 1, '0');
  const fraction = padded.slice(-scale).replace(/0+$/, '');
  const plain = padded.slice(0, -scale) + (fraction === '' ? '' : `.${fraction}`);
  return units < 0 ? `-${plain}` : plain;
}

test.each([2, 3])('every noisy text of a hundredth is that hundredth, with scale %d', (scale) => {
  const wrong: string[] = [];
  for (let units = -120_000; units <= 120_000; units += 1) {
    const text = String(units * 0.01);
    if (units !== 0 && toDecimal(text, scale).value !== exact(units, 2)) wrong.push(text);
  }
  expect(wrong).toEqual([]);
});

test('any hundredth a till can have, however its text came about', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000, max: 100_000_000 }), fc.constantFrom(2, 3), (units, scale) => {
      fc.pre(units !== 0);
      for (const text of [String(units / 100), String(units * 0.01), (units / 100).toFixed(9), (units / 100).toExponential()])
        expect(toDecimal(text, scale)).toEqual({ value: exact(units, 2) });
    }),
  );
});

test('sums of 0.1, as a spreadsheet adds them, are tenths', () => {
  let sum = 0;
  for (let tenths = 1; tenths <= 20_000; tenths += 1) {
    sum += 0.1;
    expect(toDecimal(String(sum), 3)).toEqual({ value: exact(tenths, 1) });
  }
});

test.each([
  ['145.79999999999998', 3, '145.8'],
  ['1.23e3', 2, '1230'],
  ['1.5E-3', 3, '0.002'],
  ['1e-7', 3, '0'],
  ['-1e-7', 3, '0'],
  ['0.0005', 3, '0.001'],
  ['-0.0005', 3, '-0.001'],
  ['0.00049999', 3, '0'],
  ['2.5', 0, '3'],
  ['-2.5', 0, '-3'],
  ['-0', 2, '0'],
  ['+007.10', 2, '7.1'],
  ['5.', 2, '5'],
  ['.5', 2, '0.5'],
  ['123456789012345678901234567890.12', 2, '123456789012345678901234567890.12'],
])('%s with scale %d is %s', (text, scale, value) => {
  expect(toDecimal(text, scale)).toEqual({ value });
});

test.each(['', '.', '-', 'e5', '1,5', '1 000', '0x10', 'NaN', 'Infinity', '1e', '1e9999', '--1', '£5', '١٢'])('%j is refused', (text) => {
  expect(toDecimal(text, 2)).toEqual({ reason: `${JSON.stringify(text)} is not a number` });
});

test('half is rounded away from zero, alike on both sides', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), (units) => {
      const text = `${exact(units, 2)}${units % 100 === 0 ? '.00' : units % 10 === 0 ? '0' : ''}5`;
      expect(toDecimal(text, 2)).toEqual({ value: exact(units + 1, 2) });
      expect(toDecimal(`-${text}`, 2)).toEqual({ value: exact(-units - 1, 2) });
    }),
  );
});

test('a sign is turned, but zero has none', () => {
  expect(['1.5', '-1.5', '0'].map(negated)).toEqual(['-1.5', '1.5', '0']);
});

test.each([
  ['42', { value: 42 }],
  ['-3.0', { value: -3 }],
  ['-0', { value: 0 }],
  ['3.5', { reason: '"3.5" is not a whole number' }],
  ['3.0000000001', { reason: '"3.0000000001" is not a whole number' }],
  ['9007199254740993', { reason: '"9007199254740993" is not a whole number' }],
])('the integer %s', (text, result) => {
  expect(toInteger(text)).toEqual(result);
});

test.each([
  ['13085.0', { value: '13085' }],
  ['007', { value: '007' }],
  ['13085.5', { reason: '"13085.5" is not the number of an id' }],
  ['C1', { reason: '"C1" is not the number of an id' }],
])('the id %s', (text, result) => {
  expect(toIdOfNumber(text)).toEqual(result);
});

test('words for true and false, and nothing else', () => {
  expect(['TRUE', 'yes', 'Y', '1'].map(toBoolean)).toEqual([1, 2, 3, 4].map(() => ({ value: true })));
  expect(['False', 'no', 'n', '0'].map(toBoolean)).toEqual([1, 2, 3, 4].map(() => ({ value: false })));
  expect(toBoolean('maybe')).toEqual({ reason: '"maybe" is neither true nor false' });
});
