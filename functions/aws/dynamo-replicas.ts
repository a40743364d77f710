import { BatchGetCommand, type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Contact, PublicKey, Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import type { ToldSettings } from '../../protocol/rollout.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { isNextKey, isSameKey } from '../../core/proofs/replica-keys.ts';
import { cancellationReasons, translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';
import { replicaRow, replicaSchema, storeIdOf, storeSchema } from './store-item.ts';
import { updateIf } from './update-if.ts';

/** The rows of replicas: what a door reads at every request, and what is known of a replica's key, clock and end. */
type ReplicaRows = Pick<
  StoreRegistry,
  | 'addFork'
  | 'readReplica'
  | 'noteContact'
  | 'noteTold'
  | 'noteSynced'
  | 'retireReplica'
  | 'revokeReplica'
  | 'offerKey'
  | 'takeKey'
  | 'askForKey'
>;

/** Others that change a row at the same moment, before the caller is told to come back. */
const TRIES = 5;

export const RETIRED = {
  UpdateExpression: 'SET #status = :retired',
  ConditionExpression: '#status = :active',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: { ':retired': 'RETIRED', ':active': 'ACTIVE' },
};

type Item = Record<string, unknown>;

export class DynamoReplicas implements ReplicaRows {
  protected readonly client: DynamoDBDocumentClient;
  protected readonly table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.client = client;
    this.table = table;
  }

  async addFork(replica: Replica & { readonly forkedFrom: string }): Promise<'added' | 'gone'> {
    const Item = { ...replicaRow(replica.replicaId), ...replica };
    const Put = { TableName: this.table, Item, ConditionExpression: 'attribute_not_exists(pk)' };
    const ConditionCheck = {
      TableName: this.table,
      Key: replicaRow(replica.forkedFrom),
      ConditionExpression: '#status = :active',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':active': 'ACTIVE' },
    };
    for (let tries = 0; tries < TRIES; tries += 1) {
      try {
        await translated('add a fork', this.client.send(new TransactWriteCommand({ TransactItems: [{ Put }, { ConditionCheck }] })));
        return 'added';
      } catch (error) {
        const reasons = cancellationReasons(error);
        if (reasons === null) throw error;
        if (reasons[1] === 'ConditionalCheckFailed') return 'gone';
        if (reasons[0] === 'ConditionalCheckFailed') return 'added';
      }
    }
    throw new SyncError('UNAVAILABLE', 'others change the same replica', { retryAfterMs: 1_000 });
  }

  async readReplica(replicaId: string): Promise<{ store: Store; replica: Replica } | null> {
    if (storeIdOf(replicaId) === '') return null;
    const row = replicaRow(replicaId);
    const keys: Item[] = [{ pk: row.pk, sk: 'store' }, row];
    const items: Item[] = [];
    await sendAll('read a replica', keys, async (some) => {
      const request = { RequestItems: { [this.table]: { Keys: [...some], ConsistentRead: true } } };
      const answer = await translated('read a replica', this.client.send(new BatchGetCommand(request)));
      items.push(...(answer.Responses?.[this.table] ?? []));
      return answer.UnprocessedKeys?.[this.table]?.Keys ?? [];
    });
    const store = items.find((item) => item['sk'] === 'store');
    const replica = items.find((item) => item['sk'] !== 'store');
    return store === undefined || replica === undefined ? null : { store: storeSchema.parse(store), replica: replicaSchema.parse(replica) };
  }

  async noteContact(replicaId: string, { heardAt, agentVersion, skewMs }: Contact): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET heardAt = :heardAt, agentVersion = :agentVersion, skewMs = :skewMs',
      ExpressionAttributeValues: { ':heardAt': heardAt, ':agentVersion': agentVersion, ':skewMs': skewMs },
    });
  }

  async noteTold(replicaId: string, told: ToldSettings): Promise<void> {
    await this.#changeReplica(replicaId, { UpdateExpression: 'SET told = :told', ExpressionAttributeValues: { ':told': told } });
  }

  async noteSynced(replicaId: string, { revision, at }: { revision: number; at: string }): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET told.syncedAt = :at',
      ConditionExpression: 'told.revision = :revision AND told.syncedAt = :none',
      ExpressionAttributeValues: { ':revision': revision, ':at': at, ':none': null },
    });
  }

  async retireReplica(replicaId: string): Promise<void> {
    await this.#changeReplica(replicaId, RETIRED);
  }

  async revokeReplica(replicaId: string): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET #status = :revoked',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':revoked': 'REVOKED' },
    });
  }

  async offerKey(
    replicaId: string,
    { before, publicKey, since }: { before: PublicKey; publicKey: PublicKey; since: string },
  ): Promise<'kept' | 'gone'> {
    const isNew = await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET nextKey = :next',
      ConditionExpression:
        '#status = :active AND publicKey = :before AND (attribute_not_exists(nextKey) OR nextKey.publicKey <> :publicKey)',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':next': { publicKey, since }, ':active': 'ACTIVE', ':before': before, ':publicKey': publicKey },
    });
    if (isNew) return 'kept';
    const known = (await this.readReplica(replicaId))?.replica;
    return known?.status === 'ACTIVE' && isSameKey(known.publicKey, before) && isNextKey(known, publicKey) ? 'kept' : 'gone';
  }

  async takeKey(replicaId: string, next: PublicKey): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET publicKey = nextKey.publicKey, keySince = nextKey.since REMOVE nextKey',
      ConditionExpression: 'nextKey.publicKey = :next',
      ExpressionAttributeValues: { ':next': next },
    });
  }

  async askForKey(replicaId: string, at: string): Promise<void> {
    await this.#changeReplica(replicaId, { UpdateExpression: 'SET newKeyAskedAt = :at', ExpressionAttributeValues: { ':at': at } });
  }

  /** False: it is gone, and left so, or not what the condition wants. */
  #changeReplica(replicaId: string, change: Item & { readonly UpdateExpression: string }): Promise<boolean> {
    const request = { TableName: this.table, Key: replicaRow(replicaId), ConditionExpression: 'attribute_exists(pk)', ...change };
    return updateIf(this.client, 'change a replica', request);
  }
}
