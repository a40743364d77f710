import type { BatchGetCommand, BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DynamoFeedStore } from './dynamo-feed-store.ts';
import { DynamoRecordStore } from './dynamo-record-store.ts';
import { DynamoStoreRegistry } from './dynamo-store-registry.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A table that does nothing of any batch, as one without capacity. It counts what it was asked. */
function exhausted() {
  const asked = { times: 0 };
  const send = ({ input }: BatchGetCommand | BatchWriteCommand) => {
    asked.times += 1;
    if (asked.times > 20) throw new Error('asked without end');
    return Promise.resolve({ Responses: {}, UnprocessedKeys: input.RequestItems, UnprocessedItems: input.RequestItems });
  };
  return { client: { send } as unknown as DynamoDBDocumentClient, asked };
}

test.each<[string, (client: DynamoDBDocumentClient) => Promise<unknown>]>([
  ['reading feeds', (client) => new DynamoFeedStore(client, 't').readFeeds(['Customer@org'])],
  ['deleting pages', (client) => new DynamoFeedStore(client, 't').deletePages('Customer@org', 0, 25)],
  ['reading records', (client) => new DynamoRecordStore(client, 't').getMany('customer', ['1'])],
  ['reading a replica', (client) => new DynamoStoreRegistry(client, 't').readReplica('S1:u')],
])('%s from a table without capacity ends with a typed error', async (_, run) => {
  const { client, asked } = exhausted();
  const done = expect(run(client)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await vi.runAllTimersAsync();
  await done;
  expect(asked.times).toBe(8);
});
