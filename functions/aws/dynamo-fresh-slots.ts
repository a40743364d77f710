import { type DynamoDBDocumentClient, DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { keyHash } from '../../core/key-hash.ts';
import type { FreshSlots } from '../../core/ports/fresh-slots.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/**
 * Slots as items of their own, so that a thousand stores do not write to one. A replica may use two of them, by its
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

  async take(replicaId: string, { now, until }: { now: number; until: number }): Promise<boolean> {
    for (const slot of this.#slotsOf(replicaId)) {
      const put = new PutCommand({
        TableName: this.#table,
        Item: { ...keyOf(slot), replicaId, until },
        ConditionExpression: 'attribute_not_exists(pk) OR #until <= :now OR replicaId = :replica',
        ExpressionAttributeNames: { '#until': 'until' },
        ExpressionAttributeValues: { ':now': now, ':replica': replicaId },
      });
      if (await succeeded(this.#client.send(put))) return true;
    }
    return false;
  }

  async release(replicaId: string): Promise<void> {
    for (const slot of this.#slotsOf(replicaId)) {
      const remove = new DeleteCommand({
        TableName: this.#table,
        Key: keyOf(slot),
        ConditionExpression: 'replicaId = :replica',
        ExpressionAttributeValues: { ':replica': replicaId },
      });
      await succeeded(this.#client.send(remove));
    }
  }

  #slotsOf(replicaId: string): Set<number> {
    return new Set([keyHash(replicaId) % this.#count, keyHash(`${replicaId} second`) % this.#count]);
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
