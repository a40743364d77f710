import { type DynamoDBDocumentClient, DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { keyHash } from '../../core/key-hash.ts';
import type { FreshSlots } from '../../core/ports/fresh-slots.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/**
 * Slots as items of their own, so that a thousand stores do not write to one. A store may use two of them, by its
 * id; of many that want one, the first gets it. Expired ones are simply taken over.
 */
export class DynamoFreshSlots implements FreshSlots {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;
  readonly #count: number;

  constructor(client: DynamoDBDocumentClient, table: string, count: number) {
    this.#client = client;
    this.#table = table;
    this.#count = count;
  }

  async take(storeId: string, { now, until }: { now: number; until: number }): Promise<boolean> {
    for (const slot of this.#slotsOf(storeId)) {
      const put = new PutCommand({
        TableName: this.#table,
        Item: { ...keyOf(slot), storeId, until },
        ConditionExpression: 'attribute_not_exists(pk) OR #until <= :now OR storeId = :store',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':now': now, ':store': storeId },
      });
      if (await succeeded(this.#client.send(put))) return true;
    }
    return false;
  }

  async release(storeId: string): Promise<void> {
    for (const slot of this.#slotsOf(storeId)) {
      const remove = new DeleteCommand({
        TableName: this.#table,
        Key: keyOf(slot),
        ConditionExpression: 'storeId = :store',
        ExpressionAttributeValues: { ':store': storeId },
      });
      await succeeded(this.#client.send(remove));
    }
  }

  #slotsOf(storeId: string): Set<number> {
    return new Set([keyHash(storeId) % this.#count, keyHash(`${storeId} second`) % this.#count]);
  }
}

function keyOf(slot: number): { pk: string; sk: string } {
  return { pk: `fresh-slot#${slot}`, sk: 'lease' };
}

async function succeeded(sent: Promise<unknown>): Promise<boolean> {
  try {
    await translated('take a slot', sent);
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}
