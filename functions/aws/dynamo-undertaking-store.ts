import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { UndertakingStore } from '../../core/ports/undertaking-store.ts';
import { type Undertaking, undertakingSchema } from '../../protocol/undertaking.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/** Undertakings in the `stores` table: `pk` = `undertaking`, `sk` = its id, which begins with its time. */
const PARTITION = 'undertaking';

export class DynamoUndertakingStore implements UndertakingStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async add(undertaking: Undertaking): Promise<void> {
    const put = new PutCommand({ ...this.#item(undertaking), ConditionExpression: 'attribute_not_exists(pk)' });
    await translated('add an undertaking', this.#client.send(put));
  }

  async read(undertakingId: string): Promise<Undertaking | null> {
    const get = new GetCommand({ TableName: this.#table, Key: { pk: PARTITION, sk: undertakingId }, ConsistentRead: true });
    const { Item: item } = await translated('read an undertaking', this.#client.send(get));
    return item === undefined ? null : undertakingSchema.parse(item);
  }

  async list({ after, limit }: Parameters<UndertakingStore['list']>[0]): ReturnType<UndertakingStore['list']> {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': PARTITION },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: { pk: PARTITION, sk: after } }),
    });
    const { Items: items = [], LastEvaluatedKey: last } = await translated('list undertakings', this.#client.send(query));
    return { undertakings: items.map((item) => undertakingSchema.parse(item)), next: last === undefined ? null : String(last['sk']) };
  }

  async change(before: Undertaking, after: Undertaking): Promise<'changed' | 'conflict'> {
    const put = new PutCommand({
      ...this.#item(after),
      ConditionExpression: '#state = :before',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':before': before.state },
    });
    try {
      await translated('change an undertaking', this.#client.send(put));
      return 'changed';
    } catch (error) {
      if (isConditionFailed(error)) return 'conflict';
      throw error;
    }
  }

  #item(undertaking: Undertaking) {
    return { TableName: this.#table, Item: { pk: PARTITION, sk: undertaking.undertakingId, ...undertaking } };
  }
}
