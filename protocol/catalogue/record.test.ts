import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordArbitrary } from '../../test/fixtures/record-arbitrary.ts';
import { collectionOf, collections, valueFields } from './catalogue.ts';
import { equalFields, fromWire, parseRecord, toWire } from './record.ts';

test.each(collections.map((collection) => [collection.name, collection] as const))(
  '%s: canonical form is stable, and the wire loses nothing',
  (_, collection) => {
    const columns = valueFields(collection).map((field) => field.name);
    fc.assert(
      fc.property(recordArbitrary(collection), (input) => {
        const parsed = parseRecord(collection, input);
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
        expect(parsed.key).toMatch(/^[!-~]+$/);
        const again = parseRecord(collection, parsed.fields);
        expect(again).toEqual(parsed);
        const { fields, extra } = fromWire(collection, parsed.key, { columns, values: toWire(collection, parsed.fields) });
        expect(fields).toEqual(parsed.fields);
        expect(extra).toEqual({});
        expect(equalFields(fields, parsed.fields)).toBe(true);
      }),
      { numRuns: 40 },
    );
  },
);

test.each([
  ['amount', '145.79999999999998', /more than 4 digits/],
  ['amount', 145.8, /must be text/],
  ['amount', '1e3', /must be a decimal/],
  ['amount', '+5', /must be a decimal/],
  ['amount', '1234567890123456', /must be a decimal/],
  ['billing_time', '2009-12-01 07:45:00', /RFC 3339/],
  ['billing_time', '2009-02-30T07:45:00Z', /RFC 3339/],
  ['billing_zone', 'Mars/Olympus', /time zone/],
  ['business_date', '2009-13-01', /calendar day/],
  ['currency_code', 'pounds', /ISO 4217/],
  ['type', 'SOLD', /must be one of REGULAR/],
  ['till_code', 'a/b', /printable ASCII/],
  ['number', undefined, /is required/],
  ['colour', 'red', /is not a field/],
  ['notes', '\ud800', /well-formed/],
])('bill.%s = %j is refused with its reason', (name, value, reason) => {
  const parsed = parseRecord(collectionOf('bill'), { ...aBill, [name]: value });
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) expect(parsed.issues).toEqual([{ field: name, reason: expect.stringMatching(reason) as string }]);
});

test.each([
  ['145.80', '145.8'],
  ['0010', '10'],
  ['-0.00', '0'],
  ['-3.1400', '-3.14'],
])('the decimal %s is %s', (input, canonical) => {
  const parsed = parseRecord(collectionOf('bill'), { ...aBill, amount: input });
  expect(parsed.ok && parsed.fields['amount']).toBe(canonical);
});

test('an instant keeps its moment, whatever its offset', () => {
  const parsed = parseRecord(collectionOf('bill'), { ...aBill, billing_time: '2021-09-09T11:49:14.500+05:30' });
  expect(parsed.ok && parsed.fields['billing_time']).toBe('2021-09-09T06:19:14.500Z');
});

test('a card number never enters, a long reference may', () => {
  const aPayment = { till_code: 't', bill_client_id: 'b', pay_seq: 1, mode: 'CARD', value: '1', currency_code: 'GBP' };
  const payment = collectionOf('payment');
  expect(parseRecord(payment, { ...aPayment, notes: 'card 4111 1111 1111 1111' }).ok).toBe(false);
  expect(parseRecord(payment, { ...aPayment, attributes: { pan: '4111111111111111' } }).ok).toBe(false);
  expect(parseRecord(payment, { ...aPayment, notes: 'reference 4111111111111112' }).ok).toBe(true);
});

test('sensitive values cannot hide in free fields', () => {
  const parsed = parseRecord(collectionOf('customer'), { user_id: '1', extended_fields: { maritalStatus: 'x' } });
  expect(parsed).toEqual({
    ok: false,
    issues: [{ field: 'extended_fields', reason: expect.stringContaining('use the field marital_status') as string }],
  });
});

const aBill = {
  till_code: 't1',
  bill_client_id: 'b1',
  type: 'REGULAR',
  number: '489434',
  billing_time: '2009-12-01T07:45:00Z',
  billing_zone: 'Europe/London',
  amount: '505.3',
  currency_code: 'GBP',
  store_code: 's1',
};
