import { open } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { type OwnRange, differs } from '../../core/reconcile/plan-ranges.ts';
import { sha256Hex } from '../../codec/pack.ts';
import { type Manifest, manifestRanges, rootText } from '../../protocol/manifest.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { ChunkContent, ChunkPuts } from './chunk-content.ts';
import { RangeDigests } from './digest.ts';
import { insertTombstones } from './range-replace.ts';
import { openShadow, putInPlace, removeDatabase } from './replica-file.ts';
import { createIndexes, markSchema } from './replica-schema.ts';
import { Replica } from './replica.ts';
import { withStorageErrors } from './sqlite-errors.ts';

/**
 * The first load of an empty replica: into a shadow file that nobody reads, without journal or sync, indexes last.
 *
 * The shadow takes the replica's place only when every range in it has the manifest's digest, and then durably. A
 * crash before that leaves an empty replica and the spool, from which the shadow is made again without fetching
 * anything; a crash after it leaves the loaded one. Only a replica that holds nothing may be replaced like this.
 */
export interface OwnState {
  readonly root: string;
  readonly rows: number;
}

export class ShadowLoad {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #insert: BulkInsert;
  readonly #replica: Replica;
  readonly #tables = new Set<string>();

  constructor(path: string, plan: PlanResponse) {
    this.#path = path;
    this.#db = withStorageErrors(() => openShadow(path));
    this.#insert = new BulkInsert(this.#db);
    this.#replica = new Replica(this.#db);
    this.#replica.recordPlan(plan);
  }

  add(feed: Manifest['feed'], { range, puts, tombstones }: ChunkContent): void {
    this.#replica.transaction(() => {
      if (!this.#tables.has(range.collection)) {
        this.#replica.ensureTable(range.collection, feed);
        this.#tables.add(range.collection);
      }
      for (const block of puts?.blocks ?? []) this.#insert.insertBlock(puts as ChunkPuts, block);
      insertTombstones(this.#replica, range.collection, tombstones);
    });
  }

  /** One feed is in: compares it with its manifest and sets its cursor. */
  finishFeed(manifest: Manifest, asOf: string | null): OwnState {
    const own = compareWithManifest(this.#replica, manifest);
    this.#replica.transaction(() => this.#replica.setCursor(manifest.feed, manifest, { rows: own.rows, asOf }));
    return own;
  }

  /** Starts writing to disk what is loaded, beside the indexing; the switch waits for the rest of it. */
  async startFlush(): Promise<void> {
    const file = await open(this.#path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** One step each, so that the caller can breathe between them. */
  indexSteps(): (() => void)[] {
    return [...this.#tables].map((table) => () => withStorageErrors(() => createIndexes(this.#db, table)));
  }

  /** The live replica must be closed. */
  switchTo(live: string): void {
    withStorageErrors(() => {
      markSchema(this.#db);
      this.#db.close();
      putInPlace(this.#path, live);
    });
  }

  discard(): void {
    if (this.#db.isOpen) this.#db.close();
    removeDatabase(this.#path);
  }
}

/** Throws `INTEGRITY` unless the replica has exactly the manifest's rows. `own`: digests that were just taken. */
export function compareWithManifest(
  replica: Replica,
  manifest: Manifest,
  own: readonly OwnRange[] = takeDigests(replica, manifest),
): OwnState {
  const state = ownState(replica, manifest, own);
  if (state.differs) throw new SyncError('INTEGRITY', `${manifest.feed}: the replica differs from its manifest`);
  return { root: state.root, rows: state.rows };
}

/** What the replica has in the manifest's ranges, and whether that is what it should have. */
export function ownState(replica: Replica, manifest: Manifest, own: readonly OwnRange[]): OwnState & { readonly differs: boolean } {
  const ranges = manifestRanges(manifest).map(({ collection, from }, index) => ({ collection, from, ...(own[index] as OwnRange) }));
  const root = sha256Hex(rootText(ranges));
  const rows = ranges.reduce((sum, range) => sum + range.rows, 0);
  const named = new Set(manifest.collections.map((part) => part.collection));
  const stray = replica.heldCollections(manifest.feed).some((name) => !named.has(name) && replica.countRows(name) > 0);
  const different = manifestRanges(manifest).some(({ chunk }, index) => differs(chunk, own[index]));
  return { root, rows, differs: different || stray || root !== manifest.root || rows !== manifest.rows };
}

function takeDigests(replica: Replica, manifest: Manifest): OwnRange[] {
  const digests = new RangeDigests(replica.db);
  return manifestRanges(manifest).map((range) => digests.of(range));
}
