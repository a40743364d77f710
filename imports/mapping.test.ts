import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isSyncError } from '../protocol/sync-error.ts';
import { defaultMapping } from './default-mapping.ts';
import { readMapping } from './mapping.ts';

/** A mapping that is wrong is refused before anything is read, and the text says where and what. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-mapping-'));
const file = join(dir, 'bills.map.json');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function refusal(content: unknown, collection = 'bill'): string {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  try {
    readMapping(file, collection);
  } catch (error) {
    if (isSyncError(error, 'INVALID_INPUT')) return error.message;
    throw error;
  }
  return 'accepted';
}
const target = (fields: object, more: object = {}) => ({ targets: [{ collection: 'bill', fields, ...more }] });

test('the example of the real bills is a mapping', () => {
  const mapping = readMapping(join(import.meta.dirname, '../examples/online-retail-bills.map.json'), 'bill');
  expect(mapping.targets.map(({ collection }) => collection)).toEqual(['customer', 'bill']);
  expect(mapping.attribution).toContain('CC BY 4.0');
});

test.each([
  ['not JSON', '{', /is not JSON/],
  ['no targets', {}, /targets/],
  ['an empty list of targets', { targets: [] }, /targets/],
  ['a word that means nothing', target({}, { wen: 1 }), /Unrecognized key: "wen"\s+→ at targets\[0\]/],
  ['an unknown collection', { targets: [{ collection: 'bil', fields: {} }] }, /there is no collection bil$/],
  ['an unknown field', target({ amont: { column: 'a' } }), /bill has no field amont$/],
  ['another collection', { targets: [{ collection: 'customer', fields: {} }] }, /makes no bill, only customer/],
  ['the collection twice', { targets: [...target({}).targets, ...target({}).targets] }, /one target makes bill.*there are 2/],
  [
    'text for a source',
    target({ amount: 'a' }),
    /is no source of a value: it has none of value, cases.*\s+→ at targets\[0\].fields.amount$/,
  ],
  ['an unknown reading', target({ amount: { column: 'a', as: 'money' } }), /is text \(or left out\), .*decimal.*\s+→ at .*amount\.as$/],
  ['a decimal without scale', target({ amount: { column: 'a', as: 'decimal' } }), /expected number.*\s+→ at .*amount\.scale$/],
  [
    'an unknown test',
    target({ type: { cases: [{ when: { column: 'a', equal: 'b' }, use: { value: 'REGULAR' } }] } }),
    /is no condition: it has none of .*equals\s+→ at .*cases\[0\]\.when$/,
  ],
  [
    'a format of twelve hours',
    target({ billing_time: { column: 'a', as: 'instant', format: 'M/d/yy h:mm a', zone: 'UTC' } }),
    /h is no part of a time/,
  ],
  [
    'an unknown zone',
    target({ billing_time: { column: 'a', as: 'instant', format: 'M/d/yy', zone: 'Europe/Londn' } }),
    /is no time zone.*\s+→ at .*zone$/,
  ],
])('%s is refused', (_, content, text) => {
  expect(refusal(content)).toMatch(text);
});

test('a mapping file that is not there', () => {
  expect(() => readMapping(join(dir, 'nowhere.json'), 'bill')).toThrow(/nowhere\.json cannot be read/);
});

test('without a mapping a column is the field of its name', () => {
  const fields = defaultMapping('bill').targets[0]?.fields ?? {};
  expect(fields['amount']).toEqual({ column: 'amount', as: 'text' });
  expect(fields['item_types']).toEqual({ column: 'item_types', as: 'integer' });
});
