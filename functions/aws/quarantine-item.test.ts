import { expect, test } from 'vitest';
import { sha256Hex } from '../../codec/pack.ts';
import { limits } from '../../protocol/limits.ts';
import { quarantineItem } from './quarantine-item.ts';

const bytesOf = (text: string) => Buffer.byteLength(text);

test('what fits is kept whole', () => {
  const item = { deep: [1, { odd: null }], text: 'x'.repeat(100_000) };
  expect(JSON.parse(quarantineItem(item))).toEqual(item);
  expect(quarantineItem(null)).toBe('null');
});

test('binary values, sets and numbers too large for JSON are kept as text or lists', () => {
  expect(JSON.parse(quarantineItem({ large: 99_999_999_999_999_999_999n, names: new Set(['a', 'b']) }))).toEqual({
    large: '99999999999999999999',
    names: ['a', 'b'],
  });
  const picture = new Uint8Array(200_000);
  expect(JSON.parse(quarantineItem({ key: '7', picture }))).toEqual({
    key: '7',
    picture: { cut: { bytes: 200_000, sha256: sha256Hex(picture) } },
  });
});

test('of what is too large, long texts are cut with size and digest, and the rest stays', () => {
  const body = '€'.repeat(130_000);
  expect(JSON.parse(quarantineItem({ key: '7', fields: { body, name: 'n' } }))).toEqual({
    key: '7',
    fields: { body: { cut: { bytes: 390_000, sha256: sha256Hex(body) }, start: '€'.repeat(100) }, name: 'n' },
  });
});

test('what is too large without long texts is cut as a whole', () => {
  const item = { key: '7', list: Array.from({ length: 60_000 }, (_, index) => `value ${index}`) };
  const text = quarantineItem(item);
  expect(bytesOf(text)).toBeLessThan(1_000);
  expect(JSON.parse(text)).toMatchObject({
    cut: { bytes: bytesOf(JSON.stringify(item)) },
    start: expect.stringContaining('"key":"7"') as string,
  });
});

test.each([0, 1])('an item of exactly the limit is whole, and one byte more is cut: +%d', (more) => {
  const item = 'x'.repeat(limits.quarantineItemBytesMax - 2 + more);
  expect(typeof JSON.parse(quarantineItem(item))).toBe(more === 0 ? 'string' : 'object');
});
