import { DeleteCommand, type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { ListRequest } from '../../core/ports/list-request.ts';
import type { Quarantine, QuarantineEntry } from '../../core/ports/quarantine.ts';
import { translated } from './aws-errors.ts';
import { quarantineItem } from './quarantine-item.ts';

/** Quarantine in the `stores` table: `pk` = `quarantine`, `sk` = the entry's id. The item stands as JSON text. */
const entrySchema = z.object({ sk: z.string(), source: z.string(), reason: z.string(), at: z.string(), item: z.string() });
const PARTITION = 'quarantine';
/** A record of another kind has a reason for every field. */
const REASON_CHARACTERS_MAX = 1_000;

export class DynamoQuarantine implements Quarantine {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async put(entries: readonly QuarantineEntry[]): Promise<void> {
    for (const { id, source, at, reason, item } of entries) {
      const Item = { pk: PARTITION, sk: id, source, at, reason: reason.slice(0, REASON_CHARACTERS_MAX), item: quarantineItem(item) };
      await translated('quarantine', this.#client.send(new PutCommand({ TableName: this.#table, Item })));
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const remove = new DeleteCommand({ TableName: this.#table, Key: { pk: PARTITION, sk: id } });
      await translated('remove from the quarantine', this.#client.send(remove));
    }
  }

  /** One Query: an answer of it ends at 1 MB, which is also all that a function's answer should hold. */
  async list({ after, limit }: ListRequest): Promise<{ entries: QuarantineEntry[]; next: string | null }> {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': PARTITION },
      ConsistentRead: true,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: { pk: PARTITION, sk: after } }),
    });
    const { Items: found = [], LastEvaluatedKey: last } = await translated('list the quarantine', this.#client.send(query));
    const entries = found.map((one): QuarantineEntry => {
      const { sk, item, ...rest } = entrySchema.parse(one);
      return { id: sk, ...rest, item: JSON.parse(item) as unknown };
    });
    return { entries, next: last === undefined ? null : String(last['sk']) };
  }
}
