import { type DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { LookupAllowance } from '../../core/ports/lookup-allowance.ts';
import { updateIf } from './update-if.ts';

/** One item a store in the `stores` table, which counts the hour it names and is taken over by the next. */
export class DynamoLookupAllowance implements LookupAllowance {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async take(storeId: string, hour: string, most: number): Promise<boolean> {
    const counted = await this.#update(storeId, {
      UpdateExpression: 'SET taken = taken + :one',
      ConditionExpression: '#hour = :hour AND taken < :most',
      ExpressionAttributeValues: { ':one': 1, ':hour': hour, ':most': most },
    });
    if (counted) return true;
    return this.#update(storeId, {
      UpdateExpression: 'SET taken = :one, #hour = :hour',
      ConditionExpression: 'attribute_not_exists(pk) OR #hour <> :hour',
      ExpressionAttributeValues: { ':one': 1, ':hour': hour },
    });
  }

  #update(
    storeId: string,
    update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    return updateIf(this.#client, 'count a look-up', {
      TableName: this.#table,
      Key: { pk: `lookups#${storeId}`, sk: 'hour' },
      ExpressionAttributeNames: { '#hour': 'hour' },
      ...update,
    });
  }
}
