import {
  BatchGetCommand,
  DeleteCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { keyHash } from '../../core/key-hash.ts';
import type { BucketPart, MainRecord, RecordStore, RecordWrite } from '../../core/ports/record-store.ts';
import { must } from '../../protocol/assert.ts';
import { limits } from '../../protocol/limits.ts';
import type { Scope } from '../../protocol/feed.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, isConditionFailed, translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';
import { whileTrusted } from './store-item.ts';

/**
 * Main data in DynamoDB: `pk` = `<collection>#<bucket>`, `sk` = key.
 *
 * Writes go 100 to a transaction, each conditional on the revision that was read.
 */
/** Keys by the attribute `owner`, which only records of working sets have. */
const OWNER_INDEX = 'owner';
/** A transaction holds 100 actions and 4 MB. */
const TRANSACTION_ITEMS = 100;
const TRANSACTION_BYTES = 3_500_000;
/** Transactions that met another one on the same item, before the caller is told to come back. */
const CONFLICT_TRIES = 5;

const itemSchema = z.object({
  collection: z.string(),
  key: z.string(),
  rev: z.number(),
  scopes: z.array(z.string()),
  deleted: z.boolean().default(false),
  updatedAt: z.string(),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  owner: z.string().optional(),
  left: z.record(z.string(), z.number()).optional(),
  clocks: z.record(z.string(), z.number()).optional(),
});

/** The write as one action of a transaction. */
export function putRecord(table: string, { record, previousRev }: RecordWrite) {
  const item = { ...itemKey(record.collection, record.key), ...record };
  return previousRev === null
    ? { TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }
    : { TableName: table, Item: item, ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': previousRev } };
}

export class DynamoRecordStore implements RecordStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #stores: string | null;

  /** `stores`: where it writes what replicas send. */
  constructor(client: DynamoDBDocumentClient, table: string, stores: string | null = null) {
    this.#client = client;
    this.#table = table;
    this.#stores = stores;
  }

  async getMany(collection: string, keys: readonly string[]): Promise<ReadonlyMap<string, MainRecord>> {
    const found = new Map<string, MainRecord>();
    const unique = [...new Set(keys)];
    for (let start = 0; start < unique.length; start += 100) {
      const wanted: Record<string, unknown>[] = unique.slice(start, start + 100).map((key) => itemKey(collection, key));
      await sendAll('read records', wanted, async (some) => {
        const request = { RequestItems: { [this.#table]: { Keys: [...some], ConsistentRead: true } } };
        const answer = await translated('read records', this.#client.send(new BatchGetCommand(request)));
        for (const item of answer.Responses?.[this.#table] ?? []) {
          const record = toRecord(item);
          found.set(record.key, record);
        }
        return answer.UnprocessedKeys?.[this.#table]?.Keys ?? [];
      });
    }
    return found;
  }

  async writeMany(writes: readonly RecordWrite[]): Promise<('written' | 'conflict')[]> {
    const outcomes = writes.map((): 'written' | 'conflict' => 'written');
    for (const group of groups(writes)) {
      for (const index of await this.#writeGroup(writes, group)) outcomes[index] = 'conflict';
    }
    return outcomes;
  }

  async writeTogether(writes: readonly RecordWrite[], sender?: string): Promise<'written' | 'conflict'> {
    const puts = writes.map((write) => ({ Put: putRecord(this.#table, write) }));
    const checks = sender === undefined ? [] : [{ ConditionCheck: whileTrusted(must(this.#stores, 'replicas stand in a table'), sender) }];
    const TransactItems = [...puts, ...checks];
    for (let tries = 0; ; tries += 1) {
      try {
        await translated('write records together', this.#client.send(new TransactWriteCommand({ TransactItems })));
        return 'written';
      } catch (error) {
        const reasons = cancellationReasons(error);
        if (reasons === null) throw error;
        if (reasons.includes('ConditionalCheckFailed') || tries >= CONFLICT_TRIES) return 'conflict';
      }
    }
  }

  async raiseRev({ collection, key, rev }: { collection: string; key: string; rev: number }, to: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: itemKey(collection, key),
      UpdateExpression: 'SET rev = :to',
      ConditionExpression: 'rev = :rev',
      ExpressionAttributeValues: { ':to': to, ':rev': rev },
    });
    try {
      await translated('raise a revision', this.#client.send(update));
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async *listOwned(owner: string): AsyncGenerator<Pick<MainRecord, 'collection' | 'key'>[]> {
    let start: Record<string, unknown> | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        IndexName: OWNER_INDEX,
        KeyConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const { Items: found = [], LastEvaluatedKey: last } = await translated('list what is owned', this.#client.send(query));
      yield found.map(({ pk, sk }) => ({ collection: String(pk).slice(0, String(pk).lastIndexOf('#')), key: String(sk) }));
      start = last;
    } while (start !== undefined);
  }

  async purge(tombstones: readonly Pick<MainRecord, 'collection' | 'key' | 'rev'>[]): Promise<void> {
    for (const { collection, key, rev } of tombstones) {
      const remove = new DeleteCommand({
        TableName: this.#table,
        Key: itemKey(collection, key),
        ConditionExpression: 'rev = :rev AND deleted = :yes',
        ExpressionAttributeValues: { ':rev': rev, ':yes': true },
      });
      try {
        await translated('purge a tombstone', this.#client.send(remove));
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
    }
  }

  async readBucket({ collection, bucket, after, limit }: BucketPart) {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: after === null ? 'pk = :pk' : 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: { ':pk': `${collection}#${bucket}`, ...(after === null ? {} : { ':after': after }) },
      ConsistentRead: true,
      Limit: limit,
    });
    const { Items: items = [], LastEvaluatedKey: last } = await translated('read a bucket', this.#client.send(query));
    const records = items.map((item) => itemSchema.safeParse(item)).flatMap(({ data }) => (data === undefined ? [] : [data as MainRecord]));
    return { records, unreadable: items.length - records.length, next: (last?.['sk'] as string | undefined) ?? null };
  }

  async count(collection: string): Promise<number> {
    const counts = await Promise.all(
      Array.from({ length: limits.recordBuckets }, (_, bucket) => this.#countBucket(`${collection}#${bucket}`)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Writes what it can of one group in one transaction and returns the indexes that lost their race. */
  async #writeGroup(writes: readonly RecordWrite[], group: readonly number[]): Promise<number[]> {
    let left = [...group];
    const lost: number[] = [];
    for (let tries = 0; left.length > 0; tries += 1) {
      try {
        const TransactItems = left.map((index) => ({ Put: putRecord(this.#table, writes[index] as RecordWrite) }));
        await translated('write records', this.#client.send(new TransactWriteCommand({ TransactItems })));
        return lost;
      } catch (error) {
        const reasons = cancellationReasons(error);
        if (reasons === null) throw error;
        const failed = left.filter((_, at) => reasons[at] === 'ConditionalCheckFailed');
        lost.push(...failed);
        left = left.filter((index) => !failed.includes(index));
        if (failed.length === 0 && tries >= CONFLICT_TRIES)
          throw new SyncError('CONFLICT', 'others write the same records', { cause: error, retryAfterMs: 200 });
      }
    }
    return lost;
  }

  async #countBucket(pk: string): Promise<number> {
    let count = 0;
    let start: Record<string, unknown> | undefined;
    do {
      const answer = await translated(
        'count records',
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk',
            FilterExpression: 'deleted <> :yes',
            ExpressionAttributeValues: { ':pk': pk, ':yes': true },
            Select: 'COUNT',
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      count += answer.Count ?? 0;
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return count;
  }
}

/** Indexes of writes, group by group within the limits of a transaction. A key twice is the caller's bug. */
function groups(writes: readonly RecordWrite[]): number[][] {
  const all: number[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [index, { record }] of writes.entries()) {
    const size = Buffer.byteLength(JSON.stringify(record));
    let group = all.at(-1);
    if (group === undefined || group.length >= TRANSACTION_ITEMS || bytes + size > TRANSACTION_BYTES) {
      group = [];
      all.push(group);
      bytes = 0;
    }
    group.push(index);
    bytes += size;
  }
  return all;
}

function itemKey(collection: string, key: string): { pk: string; sk: string } {
  return { pk: `${collection}#${keyHash(key) % limits.recordBuckets}`, sk: key };
}

function toRecord(item: unknown): MainRecord {
  const { scopes, ...record } = itemSchema.parse(item);
  return { ...record, scopes: scopes as Scope[] };
}
