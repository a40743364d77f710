import { type DynamoDBDocumentClient, GetCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { sha256Hex } from '../../codec/pack.ts';
import type { WrongCodes } from '../../core/ports/wrong-codes.ts';
import { translated } from './aws-errors.ts';
import { updateIf } from './update-if.ts';

/**
 * In the `stores` table, `pk` = `wrong-codes`: 65,536 items at most, by a hash of where codes came from, so that nobody fills the table with
 * addresses. Each counts the hour that it names and is taken over by the next. Two places that share an item share its count.
 */
const HASH_CHARACTERS = 4;
const countSchema = z.object({ hour: z.string(), wrong: z.number() });

export class DynamoWrongCodes implements WrongCodes {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async count(group: string, hour: string): Promise<number> {
    const request = { TableName: this.#table, Key: keyOf(group), ConsistentRead: true };
    const { Item } = await translated('count wrong codes', this.#client.send(new GetCommand(request)));
    if (Item === undefined) return 0;
    const known = countSchema.parse(Item);
    return known.hour === hour ? known.wrong : 0;
  }

  async note(group: string, hour: string): Promise<void> {
    // The first of an hour may be two at once: then one of them is the second.
    for (let isNoted = false; !isNoted;) {
      isNoted =
        (await this.#update(group, {
          UpdateExpression: 'SET wrong = wrong + :one',
          ConditionExpression: '#hour = :hour',
          ExpressionAttributeValues: { ':one': 1, ':hour': hour },
        })) ||
        (await this.#update(group, {
          UpdateExpression: 'SET wrong = :one, #hour = :hour',
          ConditionExpression: 'attribute_not_exists(pk) OR #hour <> :hour',
          ExpressionAttributeValues: { ':one': 1, ':hour': hour },
        }));
    }
  }

  #update(
    group: string,
    update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    return updateIf(this.#client, 'count a wrong code', {
      TableName: this.#table,
      Key: keyOf(group),
      ExpressionAttributeNames: { '#hour': 'hour' },
      ...update,
    });
  }
}

function keyOf(group: string): { pk: string; sk: string } {
  return { pk: 'wrong-codes', sk: sha256Hex(group).slice(0, HASH_CHARACTERS) };
}
