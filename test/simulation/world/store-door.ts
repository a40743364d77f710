import { DEFAULT_STORE_SETTINGS } from '../../../protocol/store-settings.ts';
import { strict as assert } from 'node:assert';
import type { Store } from '../../../core/ports/store-registry.ts';
import { plan } from '../../../functions/plan/plan.ts';
import { report } from '../../../functions/report/report.ts';
import { must } from '../../../protocol/assert.ts';
import { type FeedName, feedPath } from '../../../protocol/feed.ts';
import { type PlanRequest, type PlanResponse, planRequestSchema, planResponseSchema } from '../../../protocol/messages/plan.ts';
import { type ReportRequest, type ReportResponse, reportRequestSchema, reportResponseSchema } from '../../../protocol/messages/report.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { WITHHELD } from './head-office.ts';
import type { CloudHistory } from './cloud-history.ts';
import { MemoryStoreRegistry } from './memory-store-registry.ts';
import type { Random } from './random.ts';
import { mayRead } from './replica-checks.ts';

/**
 * Head office's door for stores: the real bodies of plan and report, with every message through its schema as text. A
 * store is who it says, because signatures have their own tests; what it may read comes from its row.
 */
export class StoreDoor {
  readonly registry = new MemoryStoreRegistry();
  readonly #cloud: CloudHistory;

  constructor(cloud: CloudHistory) {
    this.#cloud = cloud;
  }

  async open(storeId: string, place: Pick<Store, 'zone' | 'edition'>): Promise<void> {
    await this.registry.addStore({ storeId, name: storeId, timeZone: 'UTC', currency: 'GBP', createdAt: '', ...place });
    const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
    this.registry.replicas.set(storeId, { replicaId: storeId, storeId, publicKey, status: 'ACTIVE', enrolledAt: '' });
  }

  storeOf(storeId: string): Store {
    return must(this.registry.stores.get(storeId), `there is a store ${storeId}`);
  }

  /** An operator gives a store another zone or edition. */
  async move(storeId: string, random: Random): Promise<void> {
    const before = this.storeOf(storeId);
    const change = random.chance(0.7) ? { zone: random.of(['z0', 'z1', null]) } : { edition: random.of(['core', 'clienteling'] as const) };
    await this.registry.changeStore(before, { ...before, ...change }, new Date(this.#cloud.office.now).toISOString());
  }

  async plan(storeId: string, request: Omit<PlanRequest, 'protocol' | 'agentVersion'>): Promise<PlanResponse> {
    const { office } = this.#cloud;
    const body = planRequestSchema.parse(asText({ protocol: PROTOCOL_VERSION, agentVersion: 'simulation', ...request }));
    const { store } = must(await this.registry.readReplica(storeId), `there is a replica ${storeId}`);
    const { feeds, objects, clock, ids, scopes } = office;
    const compactions = { ring: (...[rung, work]: Parameters<CloudHistory['ring']>) => Promise.resolve(this.#cloud.ring(rung, work)) };
    const answer = await plan({ feeds, objects, compactions, clock, ids, withheld: WITHHELD, scopes }, store, body);
    const parsed = planResponseSchema.parse(asText({ ...answer, ...DEFAULT_STORE_SETTINGS }));
    this.#checkAnswer(store, parsed);
    return parsed;
  }

  async report(storeId: string, request: Omit<ReportRequest, 'protocol'>): Promise<ReportResponse> {
    const { feeds, clock, scopes } = this.#cloud.office;
    const body = reportRequestSchema.parse(asText({ protocol: PROTOCOL_VERSION, ...request }));
    const who = must(await this.registry.readReplica(storeId), `there is a replica ${storeId}`);
    const slots = { release: () => Promise.resolve() };
    return reportResponseSchema.parse(asText(await report({ feeds, registry: this.registry, slots, clock, scopes }, who, body)));
  }

  /** INV-24: every feed and every address in an answer is of a feed that the store may read. */
  #checkAnswer(store: Store, answer: PlanResponse): void {
    const readable: FeedName[] = [];
    const urls = answer.chunkUrls.map(({ url }) => url);
    for (const feedPlan of answer.feeds) {
      if (feedPlan.action === 'leave') continue;
      assert(mayRead(feedPlan.feed, store), `INV-24: ${feedPlan.feed} in an answer to ${store.storeId}`);
      readable.push(feedPlan.feed);
      if (feedPlan.action === 'reconcile') urls.push(feedPlan.snapshot.manifestUrl);
      if (feedPlan.action === 'tail') urls.push(...feedPlan.segments.map(({ url }) => url));
      if (feedPlan.action === 'tail' && feedPlan.passes !== null) urls.push(feedPlan.passes.manifestUrl);
    }
    const paths = new Set(readable.map((feed) => feedPath(feed)));
    for (const url of urls) assert(paths.has(url.split('/').at(-2) ?? ''), `INV-24: an address for ${store.storeId} is of another feed`);
  }
}

function asText(message: object): unknown {
  return JSON.parse(JSON.stringify(message)) as unknown;
}
