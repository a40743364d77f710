import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { LookupAllowance } from '../../core/ports/lookup-allowance.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/** One item a replica in the `stores` table, which counts the hour it names and is taken over by the next. */
export class DynamoLookupAllowance implements LookupAllowance {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async take(replicaId: string, hour: string, most: number): Promise<boolean> {
    const counted = await this.#update(replicaId, {
      UpdateExpression: 'SET taken = taken + :one',
      ConditionExpression: '#hour = :hour AND taken < :most',
      ExpressionAttributeValues: { ':one': 1, ':hour': hour, ':most': most },
    });
    if (counted) return true;
    return this.#update(replicaId, {
      UpdateExpression: 'SET taken = :one, #hour = :hour',
      ConditionExpression: 'attribute_not_exists(pk) OR #hour <> :hour',
      ExpressionAttributeValues: { ':one': 1, ':hour': hour },
    });
  }

  async #update(
    replicaId: string,
    update: Pick<UpdateCommand['input'], 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    const command = new UpdateCommand({
      TableName: this.#table,
      Key: { pk: `lookups#${replicaId}`, sk: 'hour' },
      ExpressionAttributeNames: { '#hour': 'hour' },
      ...update,
    });
    try {
      await translated('count a look-up', this.#client.send(command));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }
}
