import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Contact, PublicKey, Replica, Store, StoreChange, StoreRegistry } from '../../core/ports/store-registry.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Certificate, certificateSchema } from '../../protocol/messages/report.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, isConditionFailed, translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';

/**
 * Stores, their replicas and certificates in DynamoDB: `pk` = `store#<id>`, `sk` = `store`, `replica#<uuid>`,
 * `certificate#<uuid>#<feed>` or `change#<time>`; enrolment codes stand under `pk` = `code#<sha256>`, so the code itself is nowhere.
 */
const storeSchema = z.object({
  storeId: z.string(),
  name: z.string(),
  edition: z.enum(EDITIONS),
  zone: z.string().nullable(),
  timeZone: z.string(),
  currency: z.string(),
  createdAt: z.string(),
});
const zoneAndEdition = storeSchema.pick({ zone: true, edition: true });
const changeSchema = z.object({ at: z.string(), from: zoneAndEdition, to: zoneAndEdition });
const replicaSchema = z.object({
  replicaId: z.string(),
  storeId: z.string(),
  publicKey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  status: z.enum(['ACTIVE', 'REVOKED']),
  enrolledAt: z.string(),
  heardAt: z.string().optional(),
  agentVersion: z.string().optional(),
});
/** `usedBy`: the replica the code was used for. */
const codeSchema = z.object({ storeId: z.string(), expiresAt: z.number(), usedBy: z.string().optional() });
/** Agents that enrol with one code at the same moment, before the caller is told to come back. */
const ENROL_TRIES = 5;

/** The part of a certificate a registry keeps is the certificate itself. */
type Item = Record<string, unknown>;

export class DynamoStoreRegistry implements StoreRegistry {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async addStore(store: Store): Promise<void> {
    const Item = { pk: storeKey(store.storeId), sk: 'store', ...store };
    try {
      const put = new PutCommand({ TableName: this.#table, Item, ConditionExpression: 'attribute_not_exists(pk)' });
      await translated('add a store', this.#client.send(put));
    } catch (error) {
      if (isConditionFailed(error)) {
        throw new SyncError('ALREADY_EXISTS', `store ${store.storeId} exists already and was left as it is`, { cause: error });
      }
      throw error;
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
    const request = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': storeKey(storeId), ':prefix': 'change#' },
      ConsistentRead: true,
    };
    const answer = await translated('read changes of a store', this.#client.send(new QueryCommand(request)));
    return (answer.Items ?? []).map((item) => changeSchema.parse(item));
  }

  /** Reads the whole table: for people, who have thousands of stores at most. */
  async listStores(): Promise<{ store: Store; replicas: Replica[]; certificates: Certificate[] }[]> {
    const stores = new Map<string, { store: Store | null; replicas: Replica[]; certificates: Certificate[] }>();
    let start: Item | undefined;
    do {
      const request = { TableName: this.#table, ConsistentRead: true, ...(start === undefined ? {} : { ExclusiveStartKey: start }) };
      const answer = await translated('list stores', this.#client.send(new ScanCommand(request)));
      for (const item of answer.Items ?? []) {
        const pk = String(item['pk']);
        if (!pk.startsWith('store#')) continue;
        const entry = stores.get(pk) ?? { store: null, replicas: [], certificates: [] };
        stores.set(pk, entry);
        const sk = String(item['sk']);
        if (sk === 'store') entry.store = storeSchema.parse(item);
        else if (sk.startsWith('replica#')) entry.replicas.push(replicaSchema.parse(item));
        else if (sk.startsWith('certificate#')) entry.certificates.push(certificateSchema.parse(item));
      }
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return [...stores.values()].flatMap(({ store, replicas, certificates }) => {
      const active = new Set(replicas.flatMap(({ replicaId, status }) => (status === 'ACTIVE' ? [replicaId] : [])));
      return store === null ? [] : [{ store, replicas, certificates: certificates.filter(({ replicaId }) => active.has(replicaId)) }];
    });
  }

  async putEnrolmentCode(code: { sha256: string; storeId: string; expiresAt: number }): Promise<void> {
    const Item = { pk: codeKey(code.sha256), sk: 'code', storeId: code.storeId, expiresAt: code.expiresAt };
    await translated('put an enrolment code', this.#client.send(new PutCommand({ TableName: this.#table, Item })));
  }

  async enrol(
    code: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<{ store: Store; replica: Replica } | null> {
    for (let tries = 0; tries < ENROL_TRIES; tries += 1) {
      const found = await this.#readCode(code.sha256);
      if (found === null || found.expiresAt <= code.now) return null;
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

  /** False: somebody else was faster, or is at it. */
  async #useCode(
    { sha256, ...code }: { sha256: string; storeId: string; expiresAt: number },
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
    try {
      const TransactItems = [{ Put: useCode }, { Put: putReplica }];
      await translated('enrol a replica', this.#client.send(new TransactWriteCommand({ TransactItems })));
      return true;
    } catch (error) {
      if (cancellationReasons(error) !== null) return false;
      throw error;
    }
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
    const request = {
      TableName: this.#table,
      Key: replicaRow(replicaId),
      UpdateExpression: 'SET heardAt = :heardAt, agentVersion = :agentVersion',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':heardAt': heardAt, ':agentVersion': agentVersion },
    };
    try {
      await translated('note a contact', this.#client.send(new UpdateCommand(request)));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error;
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
    const request = {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': storeKey(storeIdOf(replicaId)), ':prefix': certificatePrefix(replicaId) },
      ConsistentRead: true,
    };
    const answer = await translated('read certificates', this.#client.send(new QueryCommand(request)));
    return new Map((answer.Items ?? []).map((item) => certificateSchema.parse(item)).map((certificate) => [certificate.feed, certificate]));
  }
}

function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return a.x === b.x && a.y === b.y;
}

function storeKey(storeId: string): string {
  return `store#${storeId}`;
}

function replicaRow(replicaId: string): { pk: string; sk: string } {
  return { pk: storeKey(storeIdOf(replicaId)), sk: replicaKey(uuidOf(replicaId)) };
}

function replicaKey(uuid: string): string {
  return `replica#${uuid}`;
}

function certificatePrefix(replicaId: string): string {
  return `certificate#${uuidOf(replicaId)}#`;
}

/** Empty when it is no replica id. */
function storeIdOf(replicaId: string): string {
  return replicaId.slice(0, Math.max(0, replicaId.lastIndexOf(':')));
}

function uuidOf(replicaId: string): string {
  return replicaId.slice(replicaId.lastIndexOf(':') + 1);
}

function codeKey(sha256: string): string {
  return `code#${sha256}`;
}
