import type { FreshSlots } from '../../../core/ports/fresh-slots.ts';
import { allFeedsInScope } from '../../../core/plan/feeds-in-scope.ts';
import { applyReplica } from '../../../functions/apply/apply.ts';
import { Inbox } from '../../../functions/apply/inbox.ts';
import { contact } from '../../../functions/contact/contact.ts';
import { authenticate } from '../../../functions/http/authenticate.ts';
import { type HttpRequest, httpFunction } from '../../../functions/http/http-function.ts';
import { admit } from '../../../functions/plan/admit.ts';
import { plan } from '../../../functions/plan/plan.ts';
import { uploadProgress } from '../../../functions/plan/upload-progress.ts';
import { push } from '../../../functions/push/push.ts';
import { report } from '../../../functions/report/report.ts';
import { limits } from '../../../protocol/limits.ts';
import { contactRequestSchema } from '../../../protocol/messages/contact.ts';
import { planRequestSchema } from '../../../protocol/messages/plan.ts';
import { pushRequestSchema } from '../../../protocol/messages/push.ts';
import { reportRequestSchema } from '../../../protocol/messages/report.ts';
import { DEFAULT_STORE_SETTINGS } from '../../../protocol/store-settings.ts';
import { RequestBudgets } from '../../../functions/http/request-budgets.ts';
import { Faults } from '../world/faults.ts';
import { HeadOffice } from '../world/head-office.ts';
import { MemoryObjectStore } from '../world/memory-object-store.ts';
import { MemoryRunStore } from '../world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../world/memory-store-registry.ts';
import { MemoryUploadStore } from '../world/memory-upload-store.ts';
import { type Handler, quiet } from './door.ts';
import type { VirtualTime } from './virtual-time.ts';

/** The functions that stores meet, as their handlers put them together, over ports in memory. */
export const AUDIENCE = 'storm';
/** A doorbell is heard after about this long. */
const DOORBELL_MS = 60;

class MemorySlots implements FreshSlots {
  readonly #until = new Map<string, number>();

  take(storeId: string, { now, until }: { readonly now: number; readonly until: number }): Promise<boolean> {
    for (const [id, end] of this.#until) if (end <= now) this.#until.delete(id);
    const isFree = this.#until.has(storeId) || this.#until.size < limits.freshSlots;
    if (isFree) this.#until.set(storeId, until);
    return Promise.resolve(isFree);
  }

  release(storeId: string): Promise<void> {
    this.#until.delete(storeId);
    return Promise.resolve();
  }
}

export class StormOffice {
  readonly world = new HeadOffice(Faults.none(), { rowsTarget: 500, rowsMax: 1_000 });
  readonly registry = new MemoryStoreRegistry();
  readonly uploads: MemoryUploadStore;
  readonly #time: VirtualTime;
  readonly #runs = new MemoryRunStore(Faults.none());
  readonly #slots = new MemorySlots();
  readonly #objects: MemoryObjectStore;

  constructor(time: VirtualTime) {
    this.#time = time;
    this.uploads = new MemoryUploadStore(Faults.none(), this.world.records, (id) => this.registry.isTrusted(id));
    this.#objects = new MemoryObjectStore(Faults.none(), () => time.now);
  }

  /** Customers in every feed, a snapshot, and changes after it that a delta brings. */
  async fill(customers: number, changed: number): Promise<void> {
    const write = async (from: number, count: number, name: string) => {
      const puts = Array.from({ length: count }, (_, index) => ({ user_id: `c${from + index}`, firstname: name }));
      for (let at = 0; at < puts.length; at += 500) await this.world.write('customer', puts.slice(at, at + 500));
    };
    this.world.now = this.#time.now - 60_000;
    await write(0, customers, 'Ann');
    await this.#deliver();
    const any = { storeId: 'any', name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' } as const;
    for (const feed of allFeedsInScope(any, {})) await this.world.feeds.createFeed(feed, 'g');
    for (const feed of this.world.feeds.feeds.keys()) await this.world.compact(feed);
    this.world.now = this.#time.now;
    await write(0, changed, 'Bea');
    await this.#deliver();
  }

  async #deliver(): Promise<void> {
    const { stream } = this.world.records;
    for (let next = 0; next < stream.length;) next = await this.world.deliver(next, Math.min(stream.length, next + 500));
  }

  handlers(): Readonly<Record<string, Handler>> {
    const { registry, uploads, world } = this;
    const { clock } = this.#time;
    const deps = { logger: quiet(), clock };
    const budgets = new RequestBudgets(limits.agentRequests, limits.agentsRemembered);
    const who = (request: HttpRequest<unknown>) => authenticate({ registry, budgets, clock, audience: AUDIENCE }, request);
    const of = { registry, feeds: world.feeds, uploads, clock, scopes: {} };
    const planDeps = {
      feeds: world.feeds,
      objects: { presignGet: (key: string) => Promise.resolve(`https://objects.invalid/${key}`) },
      compactions: { ring: () => Promise.resolve() },
      clock,
      ids: world.ids,
      withheld: [],
      scopes: {},
    };
    const doorbell = { ring: (replicaId: string) => Promise.resolve(void this.#apply(replicaId)) };
    return {
      '/v1/plan': httpFunction(deps, planRequestSchema, async (request) => {
        const { store, replica } = await who(request);
        const { replicaId } = replica;
        const [answer, progress] = await Promise.all([
          plan(planDeps, store, request.body),
          uploadProgress({ uploads }, replicaId, request.body),
        ]);
        return admit(
          { slots: this.#slots, clock },
          { storeId: store.storeId, replicaId, request: request.body },
          { ...answer, ...DEFAULT_STORE_SETTINGS, ...progress },
        );
      }),
      '/v1/report': httpFunction(deps, reportRequestSchema, async (request) =>
        report({ ...of, slots: this.#slots }, await who(request), request.body),
      ),
      '/v1/push': httpFunction(deps, pushRequestSchema, async (request) => {
        const { replica } = await who(request);
        return push({ uploads, objects: this.#objects, doorbell, clock }, replica.replicaId, request.body);
      }),
      '/v1/contact': httpFunction(deps, contactRequestSchema, async (request) =>
        contact({ ...of, runs: this.#runs, workflows: { start: () => Promise.resolve() } }, await who(request), request.body),
      ),
    };
  }

  async #apply(replicaId: string): Promise<void> {
    await this.#time.sleep(DOORBELL_MS);
    const { uploads, registry, world } = this;
    const { clock } = this.#time;
    await this.#time.work(() =>
      applyReplica(
        {
          uploads,
          registry,
          clock,
          records: world.records,
          objects: this.#objects,
          inbox: new Inbox({ uploads, objects: this.#objects, clock }),
          settings: { scopes: {}, withheld: new Set() },
          sleep: () => Promise.resolve(),
          random: () => 0.5,
          until: () => Number.POSITIVE_INFINITY,
        },
        replicaId,
      ),
    );
  }
}
