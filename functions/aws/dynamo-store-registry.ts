import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Certificate, certificateSchema } from '../../protocol/messages/report.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, translated } from './aws-errors.ts';

/**
 * Stores, their replicas and certificates in DynamoDB: `pk` = `store#<id>`, `sk` = `store`, `replica#<uuid>` or
 * `certificate#<feed>`; enrolment codes stand under `pk` = `code#<sha256>`, so the code itself is nowhere.
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
const replicaSchema = z.object({
  replicaId: z.string(),
  storeId: z.string(),
  publicKey: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
  status: z.enum(['ACTIVE', 'REVOKED']),
  enrolledAt: z.string(),
});
const codeSchema = z.object({ storeId: z.string(), expiresAt: z.number() });

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
      await this.#client.send(new PutCommand({ TableName: this.#table, Item, ConditionExpression: 'attribute_not_exists(pk)' }));
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') {
        throw new SyncError('ALREADY_EXISTS', `store ${store.storeId} exists already and was left as it is`, { cause: error });
      }
      throw error;
    }
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
    return [...stores.values()].flatMap(({ store, ...rest }) => (store === null ? [] : [{ store, ...rest }]));
  }

  async putEnrolmentCode(code: { sha256: string; storeId: string; expiresAt: number }): Promise<void> {
    const Item = { pk: codeKey(code.sha256), sk: 'code', storeId: code.storeId, expiresAt: code.expiresAt };
    await translated('put an enrolment code', this.#client.send(new PutCommand({ TableName: this.#table, Item })));
  }

  async enrol(
    code: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<{ store: Store; replica: Replica } | null> {
    const key = { pk: codeKey(code.sha256), sk: 'code' };
    const found = await translated(
      'read an enrolment code',
      this.#client.send(new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true })),
    );
    if (found.Item === undefined) return null;
    const { storeId, expiresAt } = codeSchema.parse(found.Item);
    if (expiresAt <= code.now) return null;
    const { uuid, ...rest } = replica;
    const enrolled: Replica = { ...rest, storeId, replicaId: `${storeId}:${uuid}` };
    const useCode = { TableName: this.#table, Key: key, ConditionExpression: 'attribute_exists(pk)' };
    const putReplica = {
      TableName: this.#table,
      Item: { pk: storeKey(storeId), sk: replicaKey(uuid), ...enrolled },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    try {
      await this.#client.send(new TransactWriteCommand({ TransactItems: [{ Delete: useCode }, { Put: putReplica }] }));
    } catch (error) {
      if (cancellationReasons(error) !== null) return null;
      throw error;
    }
    const rows = await this.readReplica(enrolled.replicaId);
    if (rows === null) throw new SyncError('NOT_FOUND', `store ${storeId} is gone`);
    return rows;
  }

  async readReplica(replicaId: string): Promise<{ store: Store; replica: Replica } | null> {
    const colon = replicaId.lastIndexOf(':');
    if (colon <= 0) return null;
    const pk = storeKey(replicaId.slice(0, colon));
    const Keys = [
      { pk, sk: 'store' },
      { pk, sk: replicaKey(replicaId.slice(colon + 1)) },
    ];
    const answer = await translated(
      'read a replica',
      this.#client.send(new BatchGetCommand({ RequestItems: { [this.#table]: { Keys, ConsistentRead: true } } })),
    );
    const items = answer.Responses?.[this.#table] ?? [];
    const store = items.find((item) => item['sk'] === 'store');
    const replica = items.find((item) => item['sk'] !== 'store');
    if ((answer.UnprocessedKeys?.[this.#table]?.Keys ?? []).length > 0)
      throw new SyncError('UNAVAILABLE', 'read a replica: throttled', { retryAfterMs: 1_000 });
    return store === undefined || replica === undefined ? null : { store: storeSchema.parse(store), replica: replicaSchema.parse(replica) };
  }

  async putCertificates(certificates: readonly Certificate[]): Promise<void> {
    await Promise.all(
      certificates.map((certificate) => {
        const Item = { pk: storeKey(certificate.storeId), sk: `certificate#${certificate.feed}`, ...certificate };
        return translated('put a certificate', this.#client.send(new PutCommand({ TableName: this.#table, Item })));
      }),
    );
  }

  async readCertificates(storeId: string): Promise<ReadonlyMap<FeedName, Certificate>> {
    const answer = await translated(
      'read certificates',
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': storeKey(storeId), ':prefix': 'certificate#' },
          ConsistentRead: true,
        }),
      ),
    );
    return new Map((answer.Items ?? []).map((item) => certificateSchema.parse(item)).map((certificate) => [certificate.feed, certificate]));
  }
}

function storeKey(storeId: string): string {
  return `store#${storeId}`;
}

function replicaKey(uuid: string): string {
  return `replica#${uuid}`;
}

function codeKey(sha256: string): string {
  return `code#${sha256}`;
}
