import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import { type Rollout, rolloutSchema } from '../../protocol/rollout.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/** The rollout in the `stores` table: `pk` = `rollout`, `sk` = `settings`. */
const KEY = { pk: 'rollout', sk: 'settings' };

export class DynamoRolloutStore implements RolloutStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(): Promise<Rollout | null> {
    const get = new GetCommand({ TableName: this.#table, Key: KEY, ConsistentRead: true });
    const { Item: item } = await translated('read the rollout', this.#client.send(get));
    return item === undefined ? null : rolloutSchema.parse(item);
  }

  async change(before: Rollout | null, after: Rollout): Promise<'changed' | 'conflict'> {
    const condition =
      before === null
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'revision = :before', ExpressionAttributeValues: { ':before': before.revision } };
    const put = new PutCommand({ TableName: this.#table, Item: { ...KEY, ...after }, ...condition });
    try {
      await translated('change the rollout', this.#client.send(put));
      return 'changed';
    } catch (error) {
      if (isConditionFailed(error)) return 'conflict';
      throw error;
    }
  }
}
