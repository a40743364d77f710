import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { dataPaths } from '../../../agent/data-folder.ts';
import { silentProgress } from '../../../agent/progress/progress.ts';
import { openLive, removeDatabase } from '../../../agent/replica/replica-file.ts';
import { Replica } from '../../../agent/replica/replica.ts';
import { layoutOf } from '../../../agent/replica/table-layout.ts';
import { runSync } from '../../../agent/sync/run-sync.ts';
import type { SyncDeps } from '../../../agent/sync/sync-deps.ts';
import type { CloudApi } from '../../../agent/transport/cloud-api.ts';
import type { Download, WantedObject } from '../../../agent/transport/download.ts';
import { createTransferCount } from '../../../agent/transport/transfer-count.ts';
import { sha256Hex } from '../../../codec/pack.ts';
import type { Store } from '../../../core/ports/store-registry.ts';
import { allFeedsInScope } from '../../../core/plan/feeds-in-scope.ts';
import { plan } from '../../../functions/plan/plan.ts';
import { report } from '../../../functions/report/report.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import { SyncError } from '../../../protocol/sync-error.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import type { Faults } from './faults.ts';
import type { HeadOffice } from './head-office.ts';

/**
 * A store in a history: the real agent with a real SQLite file, head office's real `plan` and `report` behind it, and
 * faults on every call between them. Where a call fails the run ends, as if the process had been killed there, and the
 * next run opens the file again. Files stand in memory where the machine has a file system for that.
 */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export class SimulatedStore {
  store: Store;
  readonly #office: HeadOffice;
  readonly #faults: Faults;
  readonly #folder = mkdtempSync(join(ROOT, 'storeline-sim-'));
  readonly #paths = dataPaths(this.#folder);
  readonly #cursors = new Map<FeedName, { generation: string; position: number }>();
  #ids = 0;
  calm = false;

  constructor(office: HeadOffice, faults: Faults, store: Store) {
    this.#office = office;
    this.#faults = faults;
    this.store = store;
    mkdirSync(this.#paths.spool, { recursive: true });
  }

  /** One run of the agent; a run that a fault ended leaves the file as it is. */
  async sync(): Promise<boolean> {
    try {
      const { outstanding } = await runSync(this.#deps(), { wait: false });
      await this.check();
      return outstanding.length === 0;
    } catch (error) {
      if (!(error instanceof SyncError) || this.calm) throw error;
      await this.check();
      return false;
    }
  }

  /** The file as it was goes back in place: a disk image from a backup. */
  restore(): void {
    if (!existsSync(this.#backup)) return;
    removeDatabase(this.#paths.replica);
    copyFileSync(this.#backup, this.#paths.replica);
    this.#cursors.clear();
  }

  backup(): void {
    if (!existsSync(this.#paths.replica)) return;
    const replica = this.#open();
    replica.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    replica.close();
    copyFileSync(this.#paths.replica, this.#backup);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** INV-05, INV-06, INV-09: at its cursor every feed is the fold of its pages, and no cursor went back. */
  async check(): Promise<void> {
    if (!existsSync(this.#paths.replica)) return;
    const replica = this.#open();
    try {
      for (const { feed, cursor, generation } of replica.feeds()) {
        if (cursor === null) continue;
        await this.#checkFeed(replica, feed, { cursor, generation });
      }
    } finally {
      replica.close();
    }
  }

  /** INV-08, INV-40: what it holds is what its feeds have, no feed more and none less. */
  async checkComplete(): Promise<void> {
    const replica = this.#open();
    const own = new Set(allFeedsInScope(this.store, this.#office.scopes));
    for (const { feed, cursor } of replica.feeds()) {
      expect(own.has(feed), feed).toBe(true);
      const head = this.#office.feeds.feeds.get(feed)?.head;
      expect(cursor).toEqual({ generation: head?.generation, position: head?.position });
    }
    expect(replica.feeds()).toHaveLength(own.size);
    replica.close();
    await this.check();
  }

  async #checkFeed(
    replica: Replica,
    feed: FeedName,
    { cursor }: { cursor: { generation: string; position: number }; generation: string },
  ): Promise<void> {
    const before = this.#cursors.get(feed);
    if (before?.generation === cursor.generation && before.position > cursor.position)
      throw new Error(`INV-05: the cursor of ${feed} went from ${before.position} back to ${cursor.position}`);
    this.#cursors.set(feed, cursor);
    const pages = this.#office.feeds.feeds.get(feed);
    if (pages?.head.generation !== cursor.generation) return;
    const [own, fold] = [rowsOf(replica, feed), await this.#office.foldOf(feed, cursor.position)];
    if (!isDeepStrictEqual(own, fold)) expect(own, `${feed} at ${cursor.position}`).toEqual(fold);
  }

  get #backup(): string {
    return join(this.#folder, 'backup.sqlite');
  }

  #open(): Replica {
    return new Replica(openLive(this.#paths.replica));
  }

  #deps(): SyncDeps {
    return {
      cloud: this.#cloud(),
      download: new SimulatedDownload(this.#office, this.#faults),
      dataDir: this.#folder,
      clock: this.#office.clock,
      ids: { next: () => `i${(this.#ids += 1)}` },
      progress: silentProgress,
      signal: new AbortController().signal,
      count: createTransferCount(),
      freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
      sleep: (ms) => {
        this.#office.now += ms;
        return Promise.resolve();
      },
    };
  }

  #cloud(): CloudApi {
    const office = this.#office;
    const { clock, feeds, scopes } = office;
    const who = {
      store: this.store,
      replica: {
        replicaId: `${this.store.storeId}:r`,
        storeId: this.store.storeId,
        publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
        status: 'ACTIVE',
        enrolledAt: '',
      },
    } as const;
    const compactions = {
      ring: async (rung: readonly FeedName[]) => {
        for (const feed of rung) await office.compact(feed).catch(() => null);
      },
    };
    const planDeps = { feeds, objects: office.objects, compactions, clock, ids: office.ids, withheld: [], scopes };
    return {
      plan: (request) =>
        this.#call(() => plan(planDeps, this.store, { protocol: PROTOCOL_VERSION, agentVersion: 'simulated', ...request })),
      report: (request) =>
        this.#call(async () => {
          const registry = { putCertificates: () => Promise.resolve() };
          const slots = { release: () => Promise.resolve() };
          const answer = await report({ feeds, registry, slots, clock, scopes }, who, { protocol: PROTOCOL_VERSION, ...request });
          // INV-09: whoever is certified shows at that moment exactly what the pages up to the position give.
          for (const { feed, position, rows } of answer.certificates) expect((await office.foldOf(feed, position)).size).toBe(rows);
          return answer;
        }),
    };
  }

  /** Over the wire: refused, or done with the answer lost. What a function throws reaches the agent as it does in HTTP. */
  #call<T>(run: () => Promise<T>): Promise<T> {
    return this.#faults.strike('wire', run);
  }
}

class SimulatedDownload implements Download {
  readonly #office: HeadOffice;
  readonly #faults: Faults;

  constructor(office: HeadOffice, faults: Faults) {
    this.#office = office;
    this.#faults = faults;
  }

  get(wanted: WantedObject): Promise<Uint8Array> {
    return this.#faults.strike('download', async () => {
      const key = (await wanted.url(false)).replace('memory:', '');
      const bytes = this.#office.objects.objects.get(key);
      if (bytes === undefined) throw new SyncError('SNAPSHOT_GONE', 'the object is gone');
      expect(sha256Hex(bytes)).toBe(wanted.sha256);
      return bytes;
    });
  }

  has(): boolean {
    return false;
  }

  forget(): void {}

  keepOnly(): void {}
}

/** Rows of a feed, in the form of `HeadOffice.foldOf`. */
function rowsOf(replica: Replica, feed: FeedName): Map<string, string> {
  const rows: [string, string][] = [];
  for (const collection of replica.heldCollections(feed)) {
    const { columns } = layoutOf(collection);
    for (const row of replica.db.prepare(`SELECT * FROM "${collection}"`).all()) {
      const values = columns.filter((name) => row[name] !== null).map((name) => [name, row[name]] as const);
      const sorted = Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)));
      rows.push([`${collection}/${String(row['key'])}`, JSON.stringify([Number(row['rev']), sorted])]);
    }
  }
  return new Map(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
