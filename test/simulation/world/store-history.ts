import { strict as assert } from 'node:assert';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataPaths } from '../../../agent/data-folder.ts';
import { silentProgress } from '../../../agent/progress/progress.ts';
import { openReplicaFile, removeDatabase } from '../../../agent/replica/replica-file.ts';
import { type SyncOutcome, runSync } from '../../../agent/sync/run-sync.ts';
import type { SyncDeps } from '../../../agent/sync/sync-deps.ts';
import type { WantedObject } from '../../../agent/transport/download.ts';
import { createTransferCount } from '../../../agent/transport/transfer-count.ts';
import { sha256Hex } from '../../../codec/pack.ts';
import type { Store } from '../../../core/ports/store-registry.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import { splitFeedName } from '../../../protocol/feed.ts';
import type { PlanResponse } from '../../../protocol/messages/plan.ts';
import { SyncError, isSyncError } from '../../../protocol/sync-error.ts';
import type { CloudHistory } from './cloud-history.ts';
import { assertSame, stateByFeed } from './feed-checks.ts';
import { Random } from './random.ts';
import { type Held, type Remembered, checkHeld, checkIssued, mayRead, readHeld, spoilRow } from './replica-checks.ts';
import type { StoreDoor } from './store-door.ts';

/**
 * One store: the real agent over a real SQLite file, with head office's real plan and report behind its ports. Permitted
 * faults, at every call of a port: it fails, it works and the answer is lost, the address of an object has run out, or
 * the agent is killed there: what it wrote is on disk, and nothing else of it is left. Before any call head office may
 * go on with steps of its own, so an answer is never newer than it says and often older than the truth. Between runs
 * an older copy of the replica file may come back, and another program may write in it.
 */
class Killed extends Error {
  override name = 'Killed';
}

/** Ends of a run that a fault explains; the next run goes on. */
const EXPECTED = ['CONNECTIVITY', 'UNAVAILABLE', 'CONFLICT', 'SNAPSHOT_GONE', 'OUT_OF_SCOPE'] as const;
const SUFFIXES = ['', '-wal'];
/** Memory, where there is a file system in memory: a commit waits for no disk. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

interface Copy {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly remembered: Remembered;
}

export interface StoreHistoryDeps {
  readonly cloud: CloudHistory;
  readonly door: StoreDoor;
  readonly faultRate: number;
  /** A step of head office, or of an operator, while a run is under way. */
  readonly meanwhile: (random: Random) => Promise<void>;
}

export class StoreHistory {
  readonly storeId: string;
  readonly #deps: StoreHistoryDeps;
  readonly #paths = dataPaths(mkdtempSync(join(ROOT, 'storeline-simulation-')));
  readonly #spool = new Map<string, Uint8Array>();
  readonly #older: Copy[] = [];
  #remembered: Remembered = { cursors: new Map(), mixed: new Map(), spoiled: new Set() };
  /** Of the run that is under way. */
  #random = new Random(0);
  #faultRate = 0;
  #killed: Copy | null = null;
  #looked: { readonly bytes: readonly Buffer[]; readonly held: Held } | null = null;
  #lastPlan: { store: Store; answer: PlanResponse } | null = null;
  /** Addresses that are being asked for: a plan for one of them is no round of the run. */
  #addressing = 0;
  /** Ports take turns, also when the agent asks for several things at once. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(storeId: string, deps: StoreHistoryDeps) {
    this.storeId = storeId;
    this.#deps = deps;
    copyFileSync(emptyReplica(), this.#paths.replica);
  }

  remove(): void {
    rmSync(this.#paths.folder, { recursive: true, force: true });
  }

  /** One run of the agent. null: a fault ended it. */
  async sync(random: Random, { calm = false, fresh = random.chance(0.05) } = {}): Promise<SyncOutcome | null> {
    this.#random = random;
    this.#faultRate = calm ? 0 : this.#deps.faultRate;
    this.#killed = null;
    try {
      const outcome = await runSync(this.#syncDeps(), { wait: false, fresh });
      if (outcome.outstanding.length === 0) this.#checkComplete();
      return outcome;
    } catch (error) {
      const expected = error instanceof Killed || EXPECTED.some((code) => isSyncError(error, code));
      if (!expected) throw error;
      return null;
    } finally {
      await this.#turn;
      this.#comeBack();
    }
  }

  /** Somebody keeps a copy of the file. */
  keepCopy(): void {
    this.#older.push(this.#copy());
  }

  restore(random: Random): void {
    if (this.#older.length > 0) this.#put(random.of(this.#older));
  }

  /** Another program writes in the replica; the next proof must find it. */
  spoil(random: Random): void {
    const feed = spoilRow(this.#paths.replica, random);
    if (feed !== null) this.#remembered.spoiled.add(feed);
  }

  /** After every step. */
  check(): void {
    this.#look();
  }

  /** A store that asks for what is not its own, by name, gets nothing of it (INV-24). */
  async probe(): Promise<void> {
    const { door } = this.#deps;
    const store = door.storeOf(this.storeId);
    for (const feed of this.#deps.cloud.office.feeds.feeds.keys()) {
      if (mayRead(feed, store)) continue;
      const answer = await door.plan(this.storeId, { feeds: [{ feed, generation: 'g', position: 0, want: 'tail' }] });
      assert.deepEqual(
        answer.feeds.find((plan) => plan.feed === feed),
        { feed, action: 'leave' },
        `INV-24: ${feed} is given to ${this.storeId}`,
      );
      const chunks = { feed, sha256: [sha256Hex('')] };
      await assert.rejects(door.plan(this.storeId, { feeds: [], chunks }), { code: 'OUT_OF_SCOPE' }, `INV-24: chunks of ${feed}`);
      return;
    }
  }

  /** No faults any more: the store becomes complete, and holds main data as it may read it, and nothing else. */
  async converge(): Promise<void> {
    for (let runs = 0; ; runs += 1) {
      assert(runs < 10, `${this.storeId} does not become complete`);
      const outcome = await this.sync(new Random(runs), { calm: true, fresh: runs === 0 && this.#remembered.spoiled.size > 0 });
      await this.#deps.cloud.answerRung();
      await this.#deps.cloud.check();
      if (outcome?.outstanding.length === 0) break;
    }
    const held = this.#look();
    const store = this.#deps.door.storeOf(this.storeId);
    const { office } = this.#deps.cloud;
    const main = stateByFeed(office);
    for (const feed of office.feeds.feeds.keys()) {
      assert.equal(held.feeds.has(feed), mayRead(feed, store), `INV-40: ${feed} in ${this.storeId}`);
      if (mayRead(feed, store))
        assertSame(held.feeds.get(feed)?.rows ?? new Map(), main.get(feed) ?? new Map(), `INV-06: ${feed} in the end`);
    }
  }

  #syncDeps(): SyncDeps {
    const { cloud, door } = this.#deps;
    return {
      cloud: {
        plan: (request) =>
          this.#port(async () => {
            const store = door.storeOf(this.storeId);
            const answer = await door.plan(this.storeId, request);
            if (this.#addressing === 0) this.#lastPlan = { store, answer };
            return answer;
          }),
        report: (request) =>
          this.#port(async () => {
            const answer = await door.report(this.storeId, request);
            checkIssued(answer.certificates, this.#look(), cloud.checks);
            return answer;
          }),
      },
      download: {
        get: (wanted) => this.#download(wanted),
        has: (sha256) => this.#spool.has(sha256),
        forget: (sha256) => {
          this.#maybeKill();
          this.#spool.delete(sha256);
        },
        keepOnly: (sha256s) => {
          this.#maybeKill();
          for (const name of this.#spool.keys()) if (!sha256s.has(name)) this.#spool.delete(name);
        },
      },
      dataDir: this.#paths.folder,
      clock: cloud.office.clock,
      ids: cloud.office.ids,
      progress: {
        ...silentProgress,
        planned: (component) => {
          this.#maybeKill();
          this.#markMixed(component);
        },
        advanced: () => this.#maybeKill(),
        note: (text) => assert(!text.includes('damaged'), text),
      },
      signal: new AbortController().signal,
      count: createTransferCount(),
      freeBytes: () => this.#port(() => Promise.resolve(Number.MAX_SAFE_INTEGER)),
      sleep: () => Promise.reject(new Error('a run without patience does not wait')),
    };
  }

  /** One call in its turn: head office goes on, the replica is looked at, a fault strikes before or after the work. */
  #port<T>(run: () => Promise<T>): Promise<T> {
    const call = this.#turn.then(async () => {
      await this.#before();
      const result = await run();
      this.#after();
      return result;
    });
    this.#turn = call.catch(() => {});
    return call;
  }

  async #before(): Promise<void> {
    if (this.#killed !== null) throw new Killed();
    const { cloud, meanwhile } = this.#deps;
    this.#look();
    while (this.#faultRate > 0 && this.#random.chance(0.3)) {
      await meanwhile(new Random(this.#random.below(2 ** 31)));
      await cloud.check();
    }
    cloud.random = this.#random;
    this.#maybeKill();
    if (this.#random.chance(this.#faultRate / 2)) throw new SyncError('CONNECTIVITY', 'refused by the simulation');
  }

  #after(): void {
    this.#maybeKill();
    if (this.#random.chance(this.#faultRate / 2)) throw new SyncError('CONNECTIVITY', 'answer lost by the simulation');
  }

  async #download(wanted: WantedObject): Promise<Uint8Array> {
    const { sha256 } = wanted;
    const spooled = this.#spool.get(sha256);
    if (spooled !== undefined) return spooled;
    const address = await this.#address(wanted);
    return this.#port(async () => {
      const bytes = this.#deps.cloud.office.objects.objects.get(address.slice('memory:'.length));
      if (bytes === undefined) throw new SyncError('SNAPSHOT_GONE', 'no such object');
      assert.equal(sha256Hex(bytes), sha256, 'INV-03: an object with other bytes than its name says');
      this.#spool.set(sha256, bytes);
      return bytes;
    });
  }

  async #address(wanted: WantedObject): Promise<string> {
    this.#addressing += 1;
    try {
      const first = await wanted.url(false);
      return this.#random.chance(this.#faultRate / 2) ? await wanted.url(true) : first;
    } finally {
      this.#addressing -= 1;
    }
  }

  #maybeKill(): void {
    if (this.#killed !== null) throw new Killed();
    if (!this.#random.chance(this.#faultRate / 4)) return;
    this.#killed = this.#copy();
    throw new Killed();
  }

  /** What a killed agent did after it was killed did not happen. */
  #comeBack(): void {
    if (this.#killed !== null) this.#put(this.#killed);
    this.#killed = null;
  }

  /** The ranges of these feeds are replaced from now on, one transaction each. */
  #markMixed(component: string): void {
    for (const plan of this.#lastPlan?.answer.feeds ?? []) {
      if (plan.action !== 'reconcile' || splitFeedName(plan.feed).component !== component) continue;
      const from = this.#remembered.cursors.get(plan.feed)?.generation ?? null;
      this.#remembered.mixed.set(plan.feed, { from, to: { generation: plan.generation, position: plan.snapshot.position } });
    }
  }

  /** The same bytes were right before: what pages say of a position never changes. */
  #look(): Held {
    const bytes = SUFFIXES.map((suffix) => readIfThere(this.#paths.replica + suffix));
    if (this.#looked === null || !bytes.every((file, index) => file.equals(this.#looked?.bytes[index] ?? NOTHING))) {
      const held = readHeld(this.#paths.replica);
      checkHeld(held, this.#remembered, this.#deps.cloud);
      this.#looked = { bytes, held };
    }
    return this.#looked.held;
  }

  /** INV-40: complete means that the replica holds the feeds that the store may read, by the plan it was told, and no other. */
  #checkComplete(): void {
    const { mixed } = this.#remembered;
    const { store, answer } = this.#lastPlan as { store: Store; answer: PlanResponse };
    const held = this.#look();
    assert.equal(mixed.size, 0, `INV-40: ${this.storeId} is complete in the middle of a reconcile`);
    for (const [feed, { cursor }] of held.feeds) {
      assert(mayRead(feed, store), `INV-40: ${this.storeId} is complete and holds ${feed}`);
      assert(cursor !== null, `INV-40: ${this.storeId} is complete without ${feed}`);
      assert(
        held.certificates.some((certificate) => certificate.feed === feed),
        `INV-09: ${this.storeId} is complete without a certificate for ${feed}`,
      );
    }
    const told = new Set<FeedName>(answer.components.flatMap(({ feeds }) => feeds));
    assert.deepEqual(new Set(held.feeds.keys()), told, `INV-40: the feeds of ${this.storeId}`);
  }

  #copy(): Copy {
    const { replica, shadow } = this.#paths;
    const names = [replica, shadow].flatMap((path) => SUFFIXES.map((suffix) => path + suffix));
    const files = new Map(names.filter((name) => existsSync(name)).map((name) => [name, readFileSync(name)]));
    return { files, remembered: copyOf(this.#remembered) };
  }

  #put({ files, remembered }: Copy): void {
    for (const path of [this.#paths.replica, this.#paths.shadow]) removeDatabase(path);
    for (const [name, bytes] of files) writeFileSync(name, bytes);
    this.#looked = null;
    this.#remembered = copyOf(remembered);
  }
}

function copyOf({ cursors, mixed, spoiled }: Remembered): Remembered {
  return { cursors: new Map(cursors), mixed: new Map(mixed), spoiled: new Set(spoiled) };
}

const NOTHING = Buffer.alloc(0);

function readIfThere(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : NOTHING;
}

let empty: string | null = null;

/** The file of an agent that never synced, made once by the agent's own code. */
function emptyReplica(): string {
  if (empty === null) {
    const folder = mkdtempSync(join(ROOT, 'storeline-simulation-'));
    empty = dataPaths(folder).replica;
    openReplicaFile(empty, { now: 0 }).db.close();
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  return empty;
}
