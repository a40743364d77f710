import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import type { ListRequest } from '../../core/ports/list-request.ts';
import type { Contact, Replica, Store, StoreChange, StoreListing, StoreRegistry } from '../../core/ports/store-registry.ts';
import { must } from '../../protocol/assert.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Certificate, certificateSchema } from '../../protocol/messages/report.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, isConditionFailed, translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';
import {
  certificatePrefix,
  changeSchema,
  codeKey,
  codeSchema,
  isSameKey,
  replicaKey,
  replicaRow,
  replicaSchema,
  storeIdOf,
  storeKey,
  storeSchema,
} from './store-item.ts';

/**
 * Stores, their replicas and certificates in DynamoDB: `pk` = `store#<id>`, `sk` = `store`, `replica#<uuid>`,
 * `certificate#<uuid>#<feed>` or `change#<time>`; enrolment codes stand under `pk` = `code#<sha256>`, so the code itself is nowhere.
 * `pk` = `stores` lists the store ids, so that a list of stores reads nothing else.
 */
/** Agents that enrol with one code at the same moment, before the caller is told to come back. */
const ENROL_TRIES = 5;

const DIRECTORY = 'stores';

type Item = Record<string, unknown>;

export class DynamoStoreRegistry implements StoreRegistry {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** The store and its place in the list, which is a partition of its own: 1,000 stores a second are more than anybody opens. */
  async addStore(store: Store): Promise<void> {
    const { storeId } = store;
    const Put = {
      TableName: this.#table,
      Item: { pk: storeKey(storeId), sk: 'store', ...store },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const listed = { TableName: this.#table, Item: { pk: DIRECTORY, sk: storeId } };
    try {
      await translated('add a store', this.#client.send(new TransactWriteCommand({ TransactItems: [{ Put }, { Put: listed }] })));
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons === null) throw error;
      if (reasons[0] !== 'ConditionalCheckFailed') throw new SyncError('CONFLICT', `others add store ${storeId}`, { cause: error });
      throw new SyncError('ALREADY_EXISTS', `store ${storeId} exists already and was left as it is`, { cause: error });
    }
  }

  async readStore(storeId: string): Promise<Store | null> {
    const request = { TableName: this.#table, Key: { pk: storeKey(storeId), sk: 'store' }, ConsistentRead: true };
    const { Item } = await translated('read a store', this.#client.send(new GetCommand(request)));
    return Item === undefined ? null : storeSchema.parse(Item);
  }

  async changeStore(before: Store, after: Store, at: string): Promise<'changed' | 'conflict'> {
    const pk = storeKey(before.storeId);
    const from = { zone: before.zone, edition: before.edition };
    const to = { zone: after.zone, edition: after.edition };
    const Update = {
      TableName: this.#table,
      Key: { pk, sk: 'store' },
      UpdateExpression: 'SET #zone = :zone, edition = :edition',
      ConditionExpression: '#zone = :zoneBefore AND edition = :editionBefore',
      ExpressionAttributeNames: { '#zone': 'zone' },
      ExpressionAttributeValues: { ':zone': to.zone, ':edition': to.edition, ':zoneBefore': from.zone, ':editionBefore': from.edition },
    };
    const Put = { TableName: this.#table, Item: { pk, sk: `change#${at}`, at, from, to }, ConditionExpression: 'attribute_not_exists(pk)' };
    try {
      await translated('change a store', this.#client.send(new TransactWriteCommand({ TransactItems: [{ Update }, { Put }] })));
      return 'changed';
    } catch (error) {
      if (cancellationReasons(error) === null) throw error;
      return 'conflict';
    }
  }

  async readStoreChanges(storeId: string): Promise<StoreChange[]> {
    return (await this.#queryAll(storeKey(storeId), 'change#')).map((item) => changeSchema.parse(item));
  }

  async listStores({ after, limit }: ListRequest): Promise<{ stores: StoreListing[]; next: string | null }> {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': DIRECTORY },
      ConsistentRead: true,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: { pk: DIRECTORY, sk: after } }),
    });
    const { Items: found = [], LastEvaluatedKey: last } = await translated('list stores', this.#client.send(query));
    const stores = await Promise.all(
      found.map(async (item) => must(await this.readListing(String(item['sk'])), `store ${String(item['sk'])} is in the list`)),
    );
    return { stores, next: last === undefined ? null : String(last['sk']) };
  }

  async readListing(storeId: string): Promise<StoreListing | null> {
    const pk = storeKey(storeId);
    const [store, replicaItems, certificateItems] = await Promise.all([
      this.readStore(storeId),
      this.#queryAll(pk, 'replica#'),
      this.#queryAll(pk, 'certificate#'),
    ]);
    if (store === null) return null;
    const replicas = replicaItems.map((item) => replicaSchema.parse(item));
    const active = new Set(replicas.flatMap(({ replicaId, status }) => (status === 'ACTIVE' ? [replicaId] : [])));
    const certificates = certificateItems.map((item) => certificateSchema.parse(item)).filter(({ replicaId }) => active.has(replicaId));
    return { store, replicas, certificates };
  }

  async #queryAll(pk: string, prefix: string): Promise<Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await translated('read rows of a store', this.#client.send(query));
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  async putEnrolmentCode({ sha256, ...code }: Parameters<StoreRegistry['putEnrolmentCode']>[0]): Promise<void> {
    const Item = { pk: codeKey(sha256), sk: 'code', ...code };
    await translated('put an enrolment code', this.#client.send(new PutCommand({ TableName: this.#table, Item })));
  }

  async voidCodes(storeId: string, at: number): Promise<void> {
    const update = new UpdateCommand({
      TableName: this.#table,
      Key: { pk: storeKey(storeId), sk: 'store' },
      UpdateExpression: 'SET codesVoidThrough = :at',
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(codesVoidThrough) OR codesVoidThrough < :at)',
      ExpressionAttributeValues: { ':at': at },
    });
    try {
      await translated('void the codes of a store', this.#client.send(update));
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async enrol(
    code: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<{ store: Store; replica: Replica } | null> {
    for (let tries = 0; tries < ENROL_TRIES; tries += 1) {
      const found = await this.#readCode(code.sha256);
      if (found === null || found.expiresAt <= code.now || (await this.#isVoid(found))) return null;
      const { storeId, usedBy } = found;
      const replicaId = usedBy ?? `${storeId}:${replica.uuid}`;
      if (usedBy === undefined && !(await this.#useCode({ ...found, sha256: code.sha256 }, { ...replica, storeId, replicaId }))) continue;
      const rows = await this.readReplica(replicaId);
      if (rows === null) throw new SyncError('NOT_FOUND', `store ${storeId} is gone`);
      return isSameKey(rows.replica.publicKey, replica.publicKey) ? rows : null;
    }
    throw new SyncError('UNAVAILABLE', 'others enrol with the same code', { retryAfterMs: 1_000 });
  }

  async #readCode(sha256: string): Promise<z.infer<typeof codeSchema> | null> {
    const request = { TableName: this.#table, Key: { pk: codeKey(sha256), sk: 'code' }, ConsistentRead: true };
    const found = await translated('read an enrolment code', this.#client.send(new GetCommand(request)));
    return found.Item === undefined ? null : codeSchema.parse(found.Item);
  }

  /** One that was used says so first: its replica may hear again what it is. */
  async #isVoid({ storeId, issuedAt, usedBy }: z.infer<typeof codeSchema>): Promise<boolean> {
    if (usedBy !== undefined) return false;
    const request = { TableName: this.#table, Key: { pk: storeKey(storeId), sk: 'store' }, ConsistentRead: true };
    const { Item } = await translated('read a store', this.#client.send(new GetCommand(request)));
    return Item === undefined || Number(Item['codesVoidThrough'] ?? -1) >= issuedAt;
  }

  /** False: somebody else was faster, or is at it. */
  async #useCode(
    { sha256, ...code }: { sha256: string; storeId: string; issuedAt: number; expiresAt: number },
    { uuid, ...enrolled }: Replica & { uuid: string },
  ): Promise<boolean> {
    const useCode = {
      TableName: this.#table,
      Item: { pk: codeKey(sha256), sk: 'code', ...code, usedBy: enrolled.replicaId },
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(usedBy)',
    };
    const putReplica = {
      TableName: this.#table,
      Item: { pk: storeKey(enrolled.storeId), sk: replicaKey(uuid), ...enrolled },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const notVoid = {
      TableName: this.#table,
      Key: { pk: storeKey(enrolled.storeId), sk: 'store' },
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(codesVoidThrough) OR codesVoidThrough < :issuedAt)',
      ExpressionAttributeValues: { ':issuedAt': code.issuedAt },
    };
    try {
      const TransactItems = [{ Put: useCode }, { Put: putReplica }, { ConditionCheck: notVoid }];
      await translated('enrol a replica', this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (cancellationReasons(error) !== null) return false;
      throw error;
    }
  }

  async addFork(replica: Replica & { readonly forkedFrom: string }): Promise<'added' | 'gone'> {
    const Item = { ...replicaRow(replica.replicaId), ...replica };
    const Put = { TableName: this.#table, Item, ConditionExpression: 'attribute_not_exists(pk)' };
    const ConditionCheck = {
      TableName: this.#table,
      Key: replicaRow(replica.forkedFrom),
      ConditionExpression: '#status = :active',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':active': 'ACTIVE' },
    };
    for (let tries = 0; tries < ENROL_TRIES; tries += 1) {
      try {
        await translated('add a fork', this.#client.send(new TransactWriteCommand({ TransactItems: [{ Put }, { ConditionCheck }] })));
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
      const request = { RequestItems: { [this.#table]: { Keys: [...some], ConsistentRead: true } } };
      const answer = await translated('read a replica', this.#client.send(new BatchGetCommand(request)));
      items.push(...(answer.Responses?.[this.#table] ?? []));
      return answer.UnprocessedKeys?.[this.#table]?.Keys ?? [];
    });
    const store = items.find((item) => item['sk'] === 'store');
    const replica = items.find((item) => item['sk'] !== 'store');
    return store === undefined || replica === undefined ? null : { store: storeSchema.parse(store), replica: replicaSchema.parse(replica) };
  }

  async noteContact(replicaId: string, { heardAt, agentVersion }: Contact): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET heardAt = :heardAt, agentVersion = :agentVersion',
      ExpressionAttributeValues: { ':heardAt': heardAt, ':agentVersion': agentVersion },
    });
  }

  async revokeReplica(replicaId: string): Promise<void> {
    await this.#changeReplica(replicaId, {
      UpdateExpression: 'SET #status = :revoked',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':revoked': 'REVOKED' },
    });
  }

  /** One that is gone is left gone. */
  async #changeReplica(replicaId: string, change: Item & { readonly UpdateExpression: string }): Promise<void> {
    const request = { TableName: this.#table, Key: replicaRow(replicaId), ConditionExpression: 'attribute_exists(pk)', ...change };
    try {
      await translated('change a replica', this.#client.send(new UpdateCommand(request)));
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async putCertificates(certificates: readonly Certificate[]): Promise<void> {
    await Promise.all(certificates.map((certificate) => this.#putCertificate(certificate)));
  }

  async #putCertificate(certificate: Certificate): Promise<void> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: { pk: storeKey(certificate.storeId), sk: `${certificatePrefix(certificate.replicaId)}${certificate.feed}`, ...certificate },
      ConditionExpression:
        'attribute_not_exists(pk) OR (generation = :generation AND #position <= :position) OR (generation <> :generation AND issuedAt < :issuedAt)',
      ExpressionAttributeNames: { '#position': 'position' },
      ExpressionAttributeValues: {
        ':generation': certificate.generation,
        ':position': certificate.position,
        ':issuedAt': certificate.issuedAt,
      },
    });
    try {
      await translated('put a certificate', this.#client.send(put));
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async readCertificates(replicaId: string): Promise<ReadonlyMap<FeedName, Certificate>> {
    const items = await this.#queryAll(storeKey(storeIdOf(replicaId)), certificatePrefix(replicaId));
    return new Map(items.map((item) => certificateSchema.parse(item)).map((certificate) => [certificate.feed, certificate]));
  }
}
