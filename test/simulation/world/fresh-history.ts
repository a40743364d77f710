import { setImmediate } from 'node:timers/promises';
import { allFeedsInScope } from '../../../core/plan/feeds-in-scope.ts';
import type { FeedState, SnapshotPointer } from '../../../core/ports/feed-store.ts';
import type { FreshRecord } from '../../../core/ports/run-store.ts';
import type { Replica, Store } from '../../../core/ports/store-registry.ts';
import { decideStart } from '../../../core/runs/gate.ts';
import { applyEvent, cancelRun, pauseRun, planRun, startRun } from '../../../core/runs/run.ts';
import { Inbox } from '../../../functions/apply/inbox.ts';
import { applyReplica } from '../../../functions/apply/apply.ts';
import { contact } from '../../../functions/contact/contact.ts';
import { freshRun } from '../../../functions/fresh-run/fresh-run.ts';
import { push } from '../../../functions/push/push.ts';
import { report } from '../../../functions/report/report.ts';
import { assert, must } from '../../../protocol/assert.ts';
import { components } from '../../../protocol/catalogue/catalogue.ts';
import { type FeedName, splitFeedName } from '../../../protocol/feed.ts';
import type { ContactResponse } from '../../../protocol/messages/contact.ts';
import type { FreshOutcome } from '../../../protocol/messages/fresh-run.ts';
import { type Run, isOver } from '../../../protocol/runs.ts';
import { SyncError, isSyncError } from '../../../protocol/sync-error.ts';
import { TestOutbox } from '../../fixtures/operations.ts';
import { Faults } from './faults.ts';
import { MemoryFeedStore } from './memory-feed-store.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { MemoryRecordStore } from './memory-record-store.ts';
import { MemoryRunStore } from './memory-run-store.ts';
import { MemoryStoreRegistry } from './memory-store-registry.ts';
import { MemoryUploadStore } from './memory-upload-store.ts';
import { Random } from './random.ts';

/**
 * The fresh run of one store, with head office's real functions and its workflow, over a link that dies wherever it likes:
 * before a call, or after it was worked on and before its answer. Doorbells and wishes for snapshots get lost. Nobody helps.
 *
 * The store's side is its decisions (`core/runs`) and what it would do between them; the agent itself runs in the whole
 * system's histories.
 */
const SECOND = 1_000;
const HOUR = 3_600_000;
const STORE: Store = { storeId: 'S1', name: 'S1', edition: 'core', zone: 'z', timeZone: 'UTC', currency: 'GBP', createdAt: '' };
const REPLICA: Replica = {
  replicaId: 'S1:r',
  storeId: 'S1',
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  status: 'ACTIVE',
  enrolledAt: new Date(1_790_000_000_000).toISOString(),
};
const SCOPES = {};
const FEEDS = allFeedsInScope(STORE, SCOPES);
const PLANNED = components.map(({ name, used }) => ({
  component: name,
  status: FEEDS.some((feed) => splitFeedName(feed).component === name)
    ? ('ENABLED' as const)
    : used
      ? ('NOT_ENABLED' as const)
      : ('NOT_USED' as const),
  feeds: FEEDS.filter((feed) => splitFeedName(feed).component === name),
}));
const ROOT = '0'.repeat(64);
const BATCH = 3;
/** What the store does when its link is back, at the latest. */
const CALM_HOURS = 8;

/** How often the link died in all histories: what a series claims is counted. */
export const outages = { count: 0 };

export class FreshHistory {
  readonly outbox = new TestOutbox();
  /** Operations that head office has said it stored. */
  #sent = 0;
  readonly #time = { now: 1_790_000_000_000 };
  readonly #feeds = new MemoryFeedStore(Faults.none());
  readonly #registry = new MemoryStoreRegistry();
  readonly #records = new MemoryRecordStore(Faults.none(), () => this.#time.now);
  readonly #uploads: MemoryUploadStore;
  readonly #runs: MemoryRunStore;
  readonly #objects = new MemoryObjectStore(Faults.none());
  readonly #workflows = new Map<string, { check: number; outcome: FreshOutcome }>();
  readonly #wanted = new Set<FeedName>();
  #isRung = false;
  /** The link and head office's own calls fail no more. */
  #isCalm = false;
  #downUntil = 0;
  /** The store's: what it has proved, its run, and what of it head office has heard (lost when the agent ends). */
  readonly #certified = new Set<FeedName>();
  #run: Run | null = null;
  #told: Run | null = null;
  #isDoubted = false;
  #ids = 0;
  readonly #seen = new Set<string>();

  constructor(random: Random) {
    this.#registry.stores.set('S1', STORE);
    this.#registry.replicas.set(REPLICA.replicaId, REPLICA);
    this.#uploads = new MemoryUploadStore(Faults.none(), this.#records, () => true);
    this.#runs = new MemoryRunStore(
      new Faults(() => (this.#isCalm || !random.chance(0.05) ? 'none' : random.of(['refuse', 'lose'] as const))),
    );
    for (let id = random.below(8); id > 0; id -= 1) this.outbox.put('customer', { user_id: `c${id}` });
  }

  get #clock() {
    return { now: () => this.#time.now };
  }

  async step(kind: string, random: Random): Promise<void> {
    switch (kind) {
      case 'outage':
        return this.#cut(random);
      case 'turn':
        return this.#turn(random);
      case 'contact':
        await this.#contact(random);
        return;
      case 'hour':
        return this.#hour(random);
      case 'apply':
        return this.#apply();
      case 'compact':
        return this.#compact(random);
      case 'change':
        return this.#change(random);
      case 'record':
        this.outbox.put('customer', { user_id: `late${this.outbox.operations.length}` });
        return;
      case 'kill':
        this.#told = null;
        this.#isDoubted = false;
        return;
      default:
        this.#time.now += random.below(600) * SECOND;
    }
  }

  /** INV-45, by what is there and not by the check itself; looked at when it is first said to be complete. */
  check(): void {
    for (const record of this.#runs.fresh.values()) {
      if (record.completeAt === null || this.#seen.has(record.runId)) continue;
      this.#seen.add(record.runId);
      this.#checkComplete(record);
    }
    for (const [runId, { outcome }] of this.#workflows) {
      const record = this.#recordOf(runId);
      // It was complete by then; the store may have begun another since, because it had been asked to prove something before.
      if (outcome === 'COMPLETE') assert(this.#seen.has(runId), 'INV-45: the workflow ended and its run was not complete');
      if (outcome === 'SUPERSEDED') assert(record === null, 'INV-45: the workflow of a live run ended');
    }
  }

  #checkComplete({ declaredThrough, startedAt }: FreshRecord): void {
    const head = this.#uploads.replicas.get(REPLICA.replicaId)?.head;
    assert((head?.appliedThrough ?? 0) >= declaredThrough, 'INV-45: complete, and what the store had declared is not applied');
    const certificates = new Map([...this.#registry.certificates.values()].map((certificate) => [certificate.feed, certificate]));
    for (const feed of FEEDS) {
      const known = this.#feeds.feeds.get(feed);
      const certificate = certificates.get(feed);
      assert(certificate?.generation === known?.head.generation, () => `INV-45: complete, and ${feed} was never proved`);
      const isRecent =
        certificate !== undefined && (certificate.issuedAt >= startedAt || certificate.position >= (known?.snapshot?.position ?? 0));
      assert(isRecent, () => `INV-45: complete, and ${feed} was proved before this run only`);
    }
  }

  /** Everything works again, and nobody does anything. */
  async end(): Promise<void> {
    const random = new Random(1);
    this.#isCalm = true;
    this.#downUntil = 0;
    for (let hour = 0; hour < CALM_HOURS && !this.#isThere(); hour += 1) {
      for (let minute = 0; minute < 60; minute += 6) {
        await this.#turn(random);
        await this.#contact(random);
        await this.#apply();
        await this.#compact(random);
        this.#time.now += 360 * SECOND;
        this.check();
      }
      await this.#hour(random);
    }
    const record = this.#runs.fresh.get(REPLICA.replicaId);
    assert(this.#isThere(), () => `INV-45: not complete by itself ${CALM_HOURS} h after the link is back: ${record?.missing.join('; ')}`);
    await this.#hour(random);
    for (const { outcome } of this.#workflows.values()) assert(outcome !== 'INCOMPLETE', 'INV-45: a workflow is left behind');
  }

  #isThere(): boolean {
    const record = this.#runs.fresh.get(REPLICA.replicaId);
    return record?.completeAt != null && this.#run !== null && isOver(this.#run);
  }

  // The store.

  /** A sync, and what head office hears of it. */
  async #turn(random: Random): Promise<void> {
    const outstanding = FEEDS.filter((feed) => !this.#certified.has(feed));
    const decision = decideStart(
      {
        wanted: 'auto',
        current: this.#run,
        freshOutstanding: outstanding.map((feed) => ({ feed, component: splitFeedName(feed).component, reason: 'NOT_LOADED' as never })),
      },
      { isHeld: false },
    );
    if (decision.action === 'start' && decision.kind === 'delta') return;
    if (decision.action === 'start' || decision.action === 'take-over') this.#start();
    try {
      await this.#upload(random);
      for (const feed of FEEDS) if (!this.#certified.has(feed)) await this.#prove(feed, random);
      this.#conclude();
    } catch (error) {
      if (!isSyncError(error)) throw error;
      const resumeAfter = this.#at();
      if (this.#run !== null) this.#run = pauseRun(this.#run, { resumeAfter, code: error.code }, this.#at());
    }
    await this.#contact(random);
  }

  #start(): void {
    if (this.#run !== null) this.#run = cancelRun(this.#run, this.#at());
    this.#ids += 1;
    const runId = `01890000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
    const { replicaId } = REPLICA;
    const declaredThrough = this.outbox.operations.length;
    const started = startRun({
      runId,
      replicaId,
      kind: 'fresh',
      trigger: 'LOGON',
      startedAt: this.#at(),
      commandId: null,
      declaredThrough,
    });
    this.#run = planRun(started, { components: PLANNED }, this.#at());
  }

  #conclude(): void {
    for (const { component, direction } of this.#run?.components ?? []) {
      const isDone = FEEDS.every((feed) => splitFeedName(feed).component !== component || this.#certified.has(feed));
      const event = isDone
        ? ({ type: 'COMPLETE', changes: 1, issues: 0 } as const)
        : ({ type: 'PAUSE', resumeAfter: null, reason: null } as const);
      if (this.#run !== null) this.#run = applyEvent(this.#run, { component, direction, event }, this.#at());
    }
  }

  async #upload(random: Random): Promise<void> {
    while (this.#sent < this.outbox.operations.length) {
      const operations = this.outbox.operations.slice(this.#sent, this.#sent + BATCH);
      const request = { protocol: 1, agentVersion: '1', after: this.outbox.markAt(this.#sent), operations, receiptsAfter: 0 };
      const answer = await this.#call(random, () =>
        push(
          { uploads: this.#uploads, objects: this.#objects, clock: this.#clock, doorbell: this.#doorbell(random) },
          REPLICA.replicaId,
          request,
        ),
      );
      this.#sent = Math.max(this.#sent + operations.length, answer.storedThrough);
    }
  }

  async #prove(feed: FeedName, random: Random): Promise<void> {
    const state = await this.#call(random, async () => (await this.#feeds.readFeeds([feed])).get(feed) ?? null);
    if (state === null || !hasSnapshot(state)) {
      this.#want(feed, random);
      return;
    }
    const { generation, position } = must(state.snapshot, 'it has one');
    const slots = { release: () => Promise.resolve() };
    const deps = { feeds: this.#feeds, registry: this.#registry, slots, clock: this.#clock, scopes: SCOPES };
    const request = { protocol: 1, feeds: [{ feed, generation, position, rows: 0, root: ROOT }] };
    const answer = await this.#call(random, () => report(deps, { store: STORE, replica: REPLICA }, request));
    if (answer.certificates.length > 0) this.#certified.add(feed);
  }

  /** As `agent/runs/contacts.ts` does. */
  async #contact(random: Random): Promise<void> {
    const run = this.#run;
    const isNews = run !== null && (run !== this.#told || this.#isDoubted);
    let answer: ContactResponse;
    try {
      answer = await this.#call(random, () =>
        contact(
          this.#deps(random),
          { store: STORE, replica: this.#replica() },
          { protocol: 1, agentVersion: '1', run: isNews ? run : null, commands: [] },
        ),
      );
    } catch (error) {
      if (!isSyncError(error)) throw error;
      return;
    }
    this.#told = run;
    this.#isDoubted = run !== null && isOver(run) && answer.fresh?.runId === run.runId && !answer.fresh.complete;
    for (const feed of answer.fresh?.prove ?? []) this.#certified.delete(feed);
  }

  #replica(): Replica {
    return must(this.#registry.replicas.get(REPLICA.replicaId), 'it is enrolled');
  }

  // The link.

  #cut(random: Random): void {
    if (this.#isCalm) return;
    outages.count += 1;
    this.#downUntil = this.#time.now + Math.round(SECOND * 10 ** (random.next() * 5));
  }

  async #call<T>(random: Random, work: () => Promise<T>): Promise<T> {
    this.#time.now += 100;
    if (this.#time.now < this.#downUntil) throw new SyncError('CONNECTIVITY', 'the link is down');
    const isCut = !this.#isCalm && random.chance(0.08);
    if (isCut && random.chance(0.5)) {
      this.#cut(random);
      throw new SyncError('CONNECTIVITY', 'cut before');
    }
    const answer = await work();
    if (!isCut) return answer;
    this.#cut(random);
    throw new SyncError('CONNECTIVITY', 'cut after');
  }

  // Head office.

  #deps(random: Random) {
    const workflows = {
      start: ({ runId }: { runId: string }) => {
        if (!this.#workflows.has(runId)) this.#workflows.set(runId, { check: 0, outcome: 'INCOMPLETE' });
        return Promise.resolve();
      },
    };
    const { clock, doorbell } = { clock: this.#clock, doorbell: this.#doorbell(random) };
    const compactions = { ring: (names: readonly FeedName[]) => Promise.resolve(names.forEach((feed) => this.#want(feed, random))) };
    const [registry, feeds, uploads, runs] = [this.#registry, this.#feeds, this.#uploads, this.#runs];
    const ids = { next: () => `g${(this.#ids += 1)}` };
    return { registry, feeds, uploads, runs, workflows, clock, scopes: SCOPES, compactions, doorbell, ids, onLate: () => {} };
  }

  #doorbell(random: Random) {
    return {
      ring: () => {
        if (this.#isCalm || !random.chance(0.3)) this.#isRung = true;
        return Promise.resolve();
      },
    };
  }

  #want(feed: FeedName, random: Random): void {
    if (this.#isCalm || !random.chance(0.3)) this.#wanted.add(feed);
  }

  /** As the state machine goes: a step that fails is tried again in an hour. */
  async #hour(random: Random): Promise<void> {
    this.#time.now += HOUR;
    for (const [runId, workflow] of this.#workflows) {
      if (workflow.outcome !== 'INCOMPLETE') continue;
      const request = { storeId: 'S1', runId, check: workflow.check };
      workflow.check += 1;
      try {
        workflow.outcome = (await freshRun(this.#deps(random), { ...request, step: 'check' })).outcome;
        if (workflow.outcome === 'INCOMPLETE') await freshRun(this.#deps(random), { ...request, step: 'redrive' });
      } catch (error) {
        if (!isSyncError(error)) throw error;
      }
    }
    await setImmediate();
  }

  async #apply(): Promise<void> {
    if (!this.#isRung) return;
    this.#isRung = false;
    await applyReplica(
      {
        uploads: this.#uploads,
        objects: this.#objects,
        inbox: new Inbox({ uploads: this.#uploads, objects: this.#objects, clock: this.#clock }),
        records: this.#records,
        registry: this.#registry,
        clock: this.#clock,
        settings: { scopes: SCOPES, withheld: new Set() },
        sleep: () => Promise.resolve(),
        random: () => 0.5,
        until: () => Number.POSITIVE_INFINITY,
      },
      REPLICA.replicaId,
    );
  }

  async #compact(random: Random): Promise<void> {
    for (const feed of this.#wanted) {
      if (!this.#isCalm && random.chance(0.3)) continue;
      const { generation, position } = await this.#feeds.createFeed(feed, 'g0');
      await this.#feeds.publishSnapshot(pointer(feed, generation, position));
    }
    this.#wanted.clear();
  }

  /** Head office's data goes on: there is a newer snapshot of a feed, or it was rebuilt. */
  async #change(random: Random): Promise<void> {
    const feed = random.of(FEEDS);
    const { generation, position } = await this.#feeds.createFeed(feed, 'g0');
    const page = { position: position + 1, body: new Uint8Array(), asOf: this.#at() } as never;
    if (random.chance(0.2)) this.#feeds.restart(feed, `g${(this.#ids += 1)}`, { ...(page as object), position: 1 } as never);
    else {
      await this.#feeds.appendPage({ feed, generation, position, asOf: null }, page);
      await this.#feeds.publishSnapshot(pointer(feed, generation, position + 1));
    }
  }

  #recordOf(runId: string): FreshRecord | null {
    return [...this.#runs.fresh.values()].find((record) => record.runId === runId) ?? null;
  }

  #at(): string {
    return new Date(this.#time.now).toISOString();
  }
}

function hasSnapshot({ head, snapshot }: FeedState): boolean {
  return snapshot?.generation === head.generation;
}

function pointer(feed: FeedName, generation: string, position: number): SnapshotPointer {
  return { feed, generation, position, manifestSha256: '', root: ROOT, rows: 0, bytes: 0, chunks: 0 };
}
