import { type DynamoDBDocumentClient, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { sha256Base64Url } from '../../codec/pack.ts';
import type { ProofMemory } from '../../core/ports/proof-memory.ts';
import { proofWindow } from '../../core/proofs/proof-window.ts';
import { replicaRow, uuidOf } from './store-item.ts';
import { updateIf } from './update-if.ts';

/**
 * Two items a replica in the `stores` table, which hold the proofs of the window that they name and are taken over by the next but
 * one. A proof costs one write, the first of a window two. No time to live: DynamoDB keeps what has expired for days.
 */
/** Of 96 bits two in six minutes of one replica are never the same, and 16 characters each keep the item small. */
const ID_CHARACTERS = 16;
/** The window's first proofs may meet: who lost that looks again whether it is there. */
const TRIES = 2;

export class DynamoProofMemory implements ProofMemory {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async use({ replicaId, id, issuedAt }: { replicaId: string; id: string; issuedAt: number }): Promise<boolean> {
    const { window, place } = proofWindow(issuedAt);
    const Key = { pk: replicaRow(replicaId).pk, sk: `proofs#${uuidOf(replicaId)}#${place}` };
    const short = sha256Base64Url(id).slice(0, ID_CHARACTERS);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const isAdded = await this.#update(Key, {
        UpdateExpression: 'ADD seen :one',
        ConditionExpression: '#window = :window AND NOT contains(seen, :id)',
        ExpressionAttributeValues: { ':window': window, ':id': short, ':one': new Set([short]) },
      });
      if (isAdded) return true;
      const isFirst = await this.#update(Key, {
        UpdateExpression: 'SET #window = :window, seen = :one',
        ConditionExpression: 'attribute_not_exists(pk) OR #window < :window',
        ExpressionAttributeValues: { ':window': window, ':one': new Set([short]) },
      });
      if (isFirst) return true;
    }
    return false;
  }

  #update(
    Key: { pk: string; sk: string },
    update: Pick<UpdateCommandInput, 'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeValues'>,
  ): Promise<boolean> {
    return updateIf(this.#client, 'remember a proof', {
      TableName: this.#table,
      Key,
      ExpressionAttributeNames: { '#window': 'window' },
      ...update,
    });
  }
}
