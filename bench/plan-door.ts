import { DEFAULT_STORE_SETTINGS } from '../protocol/store-settings.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { v7 as uuidv7 } from 'uuid';
import type { Store } from '../core/ports/store-registry.ts';
import { DynamoFeedStore } from '../functions/aws/dynamo-feed-store.ts';
import { storeIdOf } from '../functions/aws/store-item.ts';
import { DynamoFreshSlots } from '../functions/aws/dynamo-fresh-slots.ts';
import { DynamoStoreRegistry } from '../functions/aws/dynamo-store-registry.ts';
import { admit } from '../functions/plan/admit.ts';
import { plan } from '../functions/plan/plan.ts';
import { limits } from '../protocol/limits.ts';
import type { PlanRequest, PlanResponse } from '../protocol/messages/plan.ts';

/** The plan function's work for any number of stores, with real SDK clients and without HTTP and signatures. */
const store: Store = { storeId: 'any', name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' };

export class PlanDoor {
  readonly #registry: DynamoStoreRegistry;
  readonly #slots: DynamoFreshSlots;
  readonly #deps: Parameters<typeof plan>[0];

  constructor(endpoint: string, tables: Readonly<Record<string, string>>) {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials }));
    this.#registry = new DynamoStoreRegistry(documents, tables['stores'] ?? '');
    this.#slots = new DynamoFreshSlots(documents, tables['stores'] ?? '', limits.freshSlots);
    this.#deps = {
      feeds: new DynamoFeedStore(documents, tables['feeds'] ?? ''),
      objects: { presignGet: (key) => Promise.resolve(`signed:${key}`) },
      compactions: { ring: () => Promise.resolve() },
      clock: { now: () => Date.now() },
      ids: { next: () => uuidv7() },
      withheld: [],
      scopes: {},
    };
  }

  /** As the handler does it: the replica's row, the plan, a slot if it needs one. */
  async plan(replicaId: string, request: PlanRequest): Promise<PlanResponse> {
    await this.#registry.readReplica(replicaId);
    const answer = await plan(this.#deps, store, request);
    return admit(
      { slots: this.#slots, clock: this.#deps.clock },
      { storeId: storeIdOf(replicaId), replicaId, request },
      { ...answer, ...DEFAULT_STORE_SETTINGS },
    );
  }

  release(replicaId: string): Promise<void> {
    return this.#slots.release(storeIdOf(replicaId));
  }
}
