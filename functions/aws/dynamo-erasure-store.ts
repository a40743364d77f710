import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Erasure, ErasureStore } from '../../core/ports/erasure-store.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { must } from '../../protocol/assert.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/** Erasures in the `stores` table: `pk` = `erasure`, `sk` = sha256 of the customer's id. */
const PARTITION = 'erasure';
const erasureSchema = z.object({
  erasureId: z.string(),
  digest: z.string(),
  pseudonym: z.string(),
  requestedAt: z.string(),
  by: z.string(),
  reason: z.string(),
  feeds: z.array(z.object({ feed: z.custom<FeedName>(), generation: z.string().nullable(), position: z.number().nullable() })),
  tombstones: z.array(z.object({ collection: z.string(), key: z.string() })),
  forgottenAt: z.string().nullable(),
  purgedAt: z.string().nullable(),
  version: z.number(),
});

export class DynamoErasureStore implements ErasureStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(erasure: Erasure): Promise<Erasure> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: { pk: PARTITION, sk: erasure.digest, ...erasure },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    try {
      await translated('begin an erasure', this.#client.send(put));
      return erasure;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      return must(await this.read(erasure.digest), 'an erasure that exists can be read');
    }
  }

  async read(digest: string): Promise<Erasure | null> {
    const get = new GetCommand({ TableName: this.#table, Key: { pk: PARTITION, sk: digest }, ConsistentRead: true });
    const { Item: item } = await translated('read an erasure', this.#client.send(get));
    return item === undefined ? null : erasureSchema.parse(item);
  }

  async list(): Promise<Erasure[]> {
    const found: Erasure[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': PARTITION },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await translated('list erasures', this.#client.send(query));
      found.push(...(answer.Items ?? []).map((item) => erasureSchema.parse(item)));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return found;
  }

  async replace(before: Erasure, after: Erasure): Promise<'replaced' | 'conflict'> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: { pk: PARTITION, sk: after.digest, ...after, version: before.version + 1 },
      ConditionExpression: '#version = :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ':version': before.version },
    });
    try {
      await translated('replace an erasure', this.#client.send(put));
      return 'replaced';
    } catch (error) {
      if (isConditionFailed(error)) return 'conflict';
      throw error;
    }
  }
}
