import { ProvisionedThroughputExceededException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { cancellationReasons, translate } from './aws-errors.ts';
import { DynamoFeedStore } from './dynamo-feed-store.ts';
import { DynamoRecordStore } from './dynamo-record-store.ts';
import { DynamoStoreRegistry } from './dynamo-store-registry.ts';

const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({ $metadata: {}, message: 'cancelled', CancellationReasons: codes.map((Code) => ({ Code })) });
const throttled = new ProvisionedThroughputExceededException({ $metadata: {}, message: 'too much' });

test.each([
  [['ThrottlingError']],
  [['None', 'ProvisionedThroughputExceeded']],
  [['ThrottlingError', 'ProvisionedThroughputExceeded', 'None']],
])('a transaction that was cancelled for want of capacity only is UNAVAILABLE: %j', (codes) => {
  expect(translate(cancelled(...codes), 'work')).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
});

test.each([[['ConditionalCheckFailed', 'ThrottlingError']], [['TransactionConflict']], [['ValidationError', 'None']], [[]]])(
  'every other cancellation is left to who knows its meaning: %j',
  (codes) => {
    const error = cancelled(...codes);
    expect(translate(error, 'work')).toBe(error);
    expect(cancellationReasons(error)).toEqual(codes);
  },
);

const store = { storeId: 'S1', name: 'S1', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' } as const;
const record = { collection: 'customer', key: '1', rev: 1, scopes: [], deleted: false, updatedAt: '', fields: {} };
const calls: [string, (client: DynamoDBDocumentClient) => Promise<unknown>][] = [
  ['creating a feed', (client) => new DynamoFeedStore(client, 't').createFeed('Customer@org', 'g')],
  ['appending a page', (client) => new DynamoFeedStore(client, 't').appendPage(head, { position: 1, body: new Uint8Array(), asOf: '' })],
  ['writing records', (client) => new DynamoRecordStore(client, 't').writeMany([{ record, previousRev: null }])],
  ['adding a store', (client) => new DynamoStoreRegistry(client, 't').addStore(store)],
  ['changing a store', (client) => new DynamoStoreRegistry(client, 't').changeStore(store, store, '')],
];
const head = { feed: 'Customer@org', generation: 'g', position: 0, asOf: null } as const;

test.each(calls)('%s without capacity is UNAVAILABLE', async (name, run) => {
  for (const error of [throttled, cancelled('ThrottlingError')]) {
    // The first call of a feed's creation has capacity, so that the second is seen too.
    let sent = 0;
    const send = () => ((sent += 1) === 1 && name === 'creating a feed' ? Promise.resolve({}) : Promise.reject(error));
    await expect(run({ send } as unknown as DynamoDBDocumentClient)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }
});
