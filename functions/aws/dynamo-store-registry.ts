import { GetCommand, PutCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import type { ListRequest } from '../../core/ports/list-request.ts';
import type { Enrolled, Replica, Store, StoreChange, StoreListing, StoreRegistry } from '../../core/ports/store-registry.ts';
import { isSameKey } from '../../core/proofs/replica-keys.ts';
import { must } from '../../protocol/assert.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Certificate, certificateSchema } from '../../protocol/messages/report.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, isConditionFailed, translated } from './aws-errors.ts';
import { DynamoReplicas, RETIRED } from './dynamo-replicas.ts';
import {
  certificatePrefix,
  changeSchema,
  codeKey,
  codeSchema,
  replicaKey,
  replicaRow,
  replicaSchema,
  storeIdOf,
  storeKey,
  storeSchema,
} from './store-item.ts';
import { updateIf } from './update-if.ts';

/**
 * Stores, their replicas and certificates in DynamoDB: `pk` = `store#<id>`, `sk` = `store`, `replica#<uuid>`,
 * `certificate#<uuid>#<feed>` or `change#<time>`; enrolment codes stand under `pk` = `code#<sha256>`, so the code itself is nowhere.
 * `pk` = `stores` lists the store ids, so that a list of stores reads nothing else.
 */
/** Agents that enrol with one code at the same moment, before the caller is told to come back. */
const ENROL_TRIES = 5;

/** Replicas that one enrolment takes the place of: a transaction has 100 parts. */
const REPLACED_MAX = 90;

const DIRECTORY = 'stores';

type Item = Record<string, unknown>;

export class DynamoStoreRegistry extends DynamoReplicas implements StoreRegistry {
  /** The store and its place in the list, which is a partition of its own: 1,000 stores a second are more than anybody opens. */
  async addStore(store: Store): Promise<void> {
    const { storeId } = store;
    const Put = {
      TableName: this.table,
      Item: { pk: storeKey(storeId), sk: 'store', ...store },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const listed = { TableName: this.table, Item: { pk: DIRECTORY, sk: storeId } };
    try {
      await translated('add a store', this.client.send(new TransactWriteCommand({ TransactItems: [{ Put }, { Put: listed }] })));
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons === null) throw error;
      if (reasons[0] !== 'ConditionalCheckFailed') throw new SyncError('CONFLICT', `others add store ${storeId}`, { cause: error });
      throw new SyncError('ALREADY_EXISTS', `store ${storeId} exists already and was left as it is`, { cause: error });
    }
  }

  async readStore(storeId: string): Promise<Store | null> {
    const request = { TableName: this.table, Key: { pk: storeKey(storeId), sk: 'store' }, ConsistentRead: true };
    const { Item } = await translated('read a store', this.client.send(new GetCommand(request)));
    return Item === undefined ? null : storeSchema.parse(Item);
  }

  async changeStore(before: Store, after: Store, at: string): Promise<'changed' | 'conflict'> {
    const pk = storeKey(before.storeId);
    const from = { zone: before.zone, edition: before.edition };
    const to = { zone: after.zone, edition: after.edition };
    const Update = {
      TableName: this.table,
      Key: { pk, sk: 'store' },
      UpdateExpression: 'SET #zone = :zone, edition = :edition',
      ConditionExpression: '#zone = :zoneBefore AND edition = :editionBefore',
      ExpressionAttributeNames: { '#zone': 'zone' },
      ExpressionAttributeValues: { ':zone': to.zone, ':edition': to.edition, ':zoneBefore': from.zone, ':editionBefore': from.edition },
    };
    const Put = { TableName: this.table, Item: { pk, sk: `change#${at}`, at, from, to }, ConditionExpression: 'attribute_not_exists(pk)' };
    try {
      await translated('change a store', this.client.send(new TransactWriteCommand({ TransactItems: [{ Update }, { Put }] })));
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
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': DIRECTORY },
      ConsistentRead: true,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: { pk: DIRECTORY, sk: after } }),
    });
    const { Items: found = [], LastEvaluatedKey: last } = await translated('list stores', this.client.send(query));
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
        TableName: this.table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await translated('read rows of a store', this.client.send(query));
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return items;
  }

  async putEnrolmentCode({ sha256, ...code }: Parameters<StoreRegistry['putEnrolmentCode']>[0]): Promise<void> {
    const Item = { pk: codeKey(sha256), sk: 'code', ...code };
    await translated('put an enrolment code', this.client.send(new PutCommand({ TableName: this.table, Item })));
  }

  async voidCodes(storeId: string, at: number): Promise<void> {
    await updateIf(this.client, 'void the codes of a store', {
      TableName: this.table,
      Key: { pk: storeKey(storeId), sk: 'store' },
      UpdateExpression: 'SET codesVoidThrough = :at',
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(codesVoidThrough) OR codesVoidThrough < :at)',
      ExpressionAttributeValues: { ':at': at },
    });
  }

  async closeStore(storeId: string, closed: { at: string; reason: string }): Promise<void> {
    await updateIf(this.client, 'close a store', {
      TableName: this.table,
      Key: { pk: storeKey(storeId), sk: 'store' },
      UpdateExpression: 'SET closed = :closed',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':closed': closed },
    });
  }

  async enrol(
    { sha256, now }: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<Enrolled | null> {
    for (let tries = 0; tries < ENROL_TRIES; tries += 1) {
      const found = await this.#readCode(sha256);
      if (found === null || found.expiresAt <= now || (await this.#isVoid(found))) return null;
      const { storeId, usedBy } = found;
      const replicaId = usedBy ?? `${storeId}:${replica.uuid}`;
      const replaced = usedBy === undefined && found.replaces ? await this.#activeReplicas(storeId) : found.replaced;
      const code = { ...found, sha256, replaced };
      if (usedBy === undefined && !(await this.#useCode(code, { ...replica, storeId, replicaId }))) continue;
      const rows = await this.readReplica(replicaId);
      if (rows === null) throw new SyncError('NOT_FOUND', `store ${storeId} is gone`);
      return isSameKey(rows.replica.publicKey, replica.publicKey) ? { ...rows, replaced } : null;
    }
    throw new SyncError('UNAVAILABLE', 'others enrol with the same code', { retryAfterMs: 1_000 });
  }

  async #activeReplicas(storeId: string): Promise<string[]> {
    const replicas = (await this.#queryAll(storeKey(storeId), 'replica#')).map((item) => replicaSchema.parse(item));
    const active = replicas.filter(({ status }) => status === 'ACTIVE').map(({ replicaId }) => replicaId);
    if (active.length > REPLACED_MAX)
      throw new SyncError(
        'TOO_MANY_REPLICAS',
        `store ${storeId} has more than ${REPLACED_MAX} active replicas; somebody has to revoke some first`,
      );
    return active;
  }

  async #readCode(sha256: string): Promise<z.infer<typeof codeSchema> | null> {
    const request = { TableName: this.table, Key: { pk: codeKey(sha256), sk: 'code' }, ConsistentRead: true };
    const found = await translated('read an enrolment code', this.client.send(new GetCommand(request)));
    return found.Item === undefined ? null : codeSchema.parse(found.Item);
  }

  /** One that was used says so first: its replica may hear again what it is. */
  async #isVoid({ storeId, issuedAt, usedBy }: z.infer<typeof codeSchema>): Promise<boolean> {
    if (usedBy !== undefined) return false;
    const request = { TableName: this.table, Key: { pk: storeKey(storeId), sk: 'store' }, ConsistentRead: true };
    const { Item } = await translated('read a store', this.client.send(new GetCommand(request)));
    return Item === undefined || Number(Item['codesVoidThrough'] ?? -1) >= issuedAt;
  }

  /** False: somebody else was faster, or is at it. */
  async #useCode(
    { sha256, ...code }: z.infer<typeof codeSchema> & { sha256: string },
    { uuid, ...enrolled }: Replica & { uuid: string },
  ): Promise<boolean> {
    const TableName = this.table;
    const useCode = {
      TableName,
      Item: { pk: codeKey(sha256), sk: 'code', ...code, usedBy: enrolled.replicaId },
      ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(usedBy)',
    };
    const putReplica = {
      TableName,
      Item: { pk: storeKey(enrolled.storeId), sk: replicaKey(uuid), ...enrolled },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    const openStore = {
      TableName,
      Key: { pk: storeKey(enrolled.storeId), sk: 'store' },
      UpdateExpression: 'REMOVE closed',
      ConditionExpression: 'attribute_exists(pk) AND (attribute_not_exists(codesVoidThrough) OR codesVoidThrough < :issuedAt)',
      ExpressionAttributeValues: { ':issuedAt': code.issuedAt },
    };
    const retire = code.replaced.map((replicaId) => ({ Update: { TableName, Key: replicaRow(replicaId), ...RETIRED } }));
    try {
      const TransactItems = [{ Put: useCode }, { Put: putReplica }, { Update: openStore }, ...retire];
      await translated('enrol a replica', this.client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (cancellationReasons(error) !== null) return false;
      throw error;
    }
  }

  async putCertificates(certificates: readonly Certificate[]): Promise<void> {
    await Promise.all(certificates.map((certificate) => this.#putCertificate(certificate)));
  }

  async #putCertificate(certificate: Certificate): Promise<void> {
    const put = new PutCommand({
      TableName: this.table,
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
      await translated('put a certificate', this.client.send(put));
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async readCertificates(replicaId: string): Promise<ReadonlyMap<FeedName, Certificate>> {
    const items = await this.#queryAll(storeKey(storeIdOf(replicaId)), certificatePrefix(replicaId));
    return new Map(items.map((item) => certificateSchema.parse(item)).map((certificate) => [certificate.feed, certificate]));
  }
}
