import { expect, test } from 'vitest';
import type { Metric } from '../../protocol/prices.ts';
import { costUsd } from '../../protocol/prices.ts';
import { type Exchange, countDynamo, countS3, countSqs } from './count-exchange.ts';
import { CostMeter } from './meter.ts';

const exchange = (part: Partial<Exchange>): Exchange => ({
  method: 'POST',
  path: '/',
  headers: {},
  body: Buffer.alloc(0),
  status: 200,
  answer: Buffer.alloc(0),
  ...part,
});
const counted = (counter: typeof countDynamo, part: Partial<Exchange>) => {
  const counts: Partial<Record<Metric, number>> = {};
  counter(exchange(part), (metric, amount) => (counts[metric] = amount));
  return counts;
};
const consumed = (action: string, ConsumedCapacity: unknown) => ({
  headers: { 'x-amz-target': `DynamoDB_20120810.${action}` },
  answer: Buffer.from(JSON.stringify({ ConsumedCapacity })),
});

test.each([
  ['a read', countDynamo, consumed('GetItem', { CapacityUnits: 1.5 }), { 'dynamodb.readUnits': 1.5 }],
  ['a batch over tables', countDynamo, consumed('BatchGetItem', [{ CapacityUnits: 1 }, { CapacityUnits: 2 }]), { 'dynamodb.readUnits': 3 }],
  ['a transaction', countDynamo, consumed('TransactWriteItems', [{ CapacityUnits: 12 }]), { 'dynamodb.writeUnits': 12 }],
  ['a refused write', countDynamo, { ...consumed('PutItem', { CapacityUnits: 1 }), status: 400 }, {}],
  ['an upload', countS3, { method: 'PUT', path: '/b/k' }, { 's3.puts': 1 }],
  [
    'what a store loads',
    countS3,
    { method: 'GET', path: '/b/k?X-Amz-Signature=x', answer: Buffer.alloc(7) },
    { 's3.gets': 1, 'egress.bytes': 7 },
  ],
  ['what a function loads', countS3, { method: 'GET', path: '/b/k', answer: Buffer.alloc(7) }, { 's3.gets': 1 }],
  ['a delete', countS3, { method: 'DELETE', path: '/b/k' }, {}],
  ['a message of 65 KB', countSqs, { body: Buffer.alloc(65 * 1_024) }, { 'sqs.requests': 2 }],
])('%s', (_, counter, part, counts) => {
  expect(counted(counter, part)).toEqual(counts);
});

test('totals are the sum of the operations, and money follows the price table', () => {
  const meter = new CostMeter();
  meter.count('dynamodb.readUnits', 2, { operation: 'plan', store: 'S1' });
  meter.count('dynamodb.readUnits', 3, { operation: 'report' });
  meter.count('api.requests', 1, { operation: 'plan', store: 'S1' });
  const { total, operations, stores } = meter.report();
  expect(total.counts).toEqual({ 'dynamodb.readUnits': 5, 'api.requests': 1 });
  expect(total.usd).toBeCloseTo(5 * 0.125e-6 + 1e-6, 12);
  expect(operations.map(({ name, usd }) => [name, usd])).toEqual([
    ['plan', costUsd({ 'dynamodb.readUnits': 2, 'api.requests': 1 })],
    ['report', costUsd({ 'dynamodb.readUnits': 3 })],
  ]);
  expect(stores.map(({ storeId }) => storeId)).toEqual(['S1']);
});
