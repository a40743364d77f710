import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, translated } from './aws-errors.ts';

/** How the uploads table is read and written: strongly consistent, in ranges, and in transactions that say why they failed. */
export type Item = Record<string, unknown>;

export interface Action {
  readonly Put?: Item;
  readonly Update?: Item;
  readonly Delete?: Item;
  readonly ConditionCheck?: Item;
}

export interface ItemRange {
  readonly pk: string;
  readonly from: string;
  readonly to: string;
  readonly newestFirst?: boolean;
  /** Items that one call reads; the rest is read when it is asked for. */
  readonly limit?: number;
}

export class UploadTable {
  readonly name: string;
  readonly #client: DynamoDBDocumentClient;

  constructor(client: DynamoDBDocumentClient, name: string) {
    this.#client = client;
    this.name = name;
  }

  newItem(item: Item): Item {
    return { TableName: this.name, Item: item, ConditionExpression: 'attribute_not_exists(pk)' };
  }

  async write<T extends string>(doing: string, TransactItems: Action[], done: T): Promise<T | 'conflict'> {
    try {
      // The actions are plain objects with exactly one of the four parts.
      const command = new TransactWriteCommand({ TransactItems: TransactItems as never });
      await translated(doing, this.#client.send(command));
      return done;
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons === null) throw error;
      if (reasons.some((reason) => reason === 'ConditionalCheckFailed' || reason === 'TransactionConflict')) return 'conflict';
      if (reasons.some((reason) => reason.includes('Throttling') || reason.includes('ProvisionedThroughput')))
        throw new SyncError('UNAVAILABLE', `${doing}: throttled`, { cause: error, retryAfterMs: 1_000 });
      throw error;
    }
  }

  async get(pk: string, sk: string): Promise<Item | null> {
    const request = { TableName: this.name, Key: { pk, sk }, ConsistentRead: true };
    return (await translated('read uploads', this.#client.send(new GetCommand(request)))).Item ?? null;
  }

  async delete(pk: string, sk: string): Promise<void> {
    await translated('forget uploads', this.#client.send(new DeleteCommand({ TableName: this.name, Key: { pk, sk } })));
  }

  async *query({ pk, from, to, newestFirst, limit }: ItemRange): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const request = {
        TableName: this.name,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to },
        ConsistentRead: true,
        ScanIndexForward: newestFirst !== true,
        ...(limit === undefined ? {} : { Limit: limit }),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      };
      const answer = await translated('read uploads', this.#client.send(new QueryCommand(request)));
      yield* answer.Items ?? [];
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
  }
}
