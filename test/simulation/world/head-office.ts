import { unpack } from '../../../codec/pack.ts';
import { Fold } from '../../../core/snapshot/fold.ts';
import type { ChunkSizes } from '../../../core/snapshot/chunk-boundaries.ts';
import { chunkKey, manifestKey } from '../../../core/snapshot/object-keys.ts';
import { chunkRows } from '../../../core/snapshot/compact-collection.ts';
import { compactFeed } from '../../../functions/compact/compact.ts';
import { sealFeed } from '../../../functions/compact/seal.ts';
import { writeRecords } from '../../../functions/console-api/write-records.ts';
import { type FeedWriterDeps, writeFeeds } from '../../../functions/feed-writer/feed-writer.ts';
import type { RescopeWork } from '../../../core/working-set/rescope-trigger.ts';
import type { ScopeSettings } from '../../../protocol/catalogue/scopes.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import { type Manifest, manifestRanges, manifestSchema } from '../../../protocol/manifest.ts';
import { limits } from '../../../protocol/limits.ts';
import type { QuarantineEntry } from '../../../core/ports/quarantine.ts';
import { decodeSections } from '../../../protocol/sections.ts';
import type { StreamRecord } from '../../../core/feed/route-change.ts';
import { Faults } from './faults.ts';
import { MemoryFeedStore } from './memory-feed-store.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { MemoryRecordStore } from './memory-record-store.ts';

/** Small numbers, so that short histories have segments of every level and pages that go. */
export const SEALING = { ...limits, sealPages: 3, sealFanout: 2, segmentRowsMax: 40, segmentsMax: 12, pageLifeMs: 60_000 };

export const WITHHELD: readonly string[] = ['customer.dob'];

/**
 * Head office in memory: the real core and function bodies over ports with faults (see `faults.ts`). What a
 * history may do on top of them stands in `cloud-history.ts`.
 */
export class HeadOffice {
  readonly records: MemoryRecordStore;
  readonly feeds: MemoryFeedStore;
  readonly objects: MemoryObjectStore;
  readonly quarantine = new Map<string, QuarantineEntry>();
  readonly sizes: ChunkSizes;
  /** What the stream has asked to be placed. */
  readonly rescopes: RescopeWork[] = [];
  /** The organization's choices. */
  scopes: ScopeSettings = {};
  readonly pages: FeedWriterDeps['pages'] & { bytesMax: number } = {
    rowsMax: limits.pageRowsMax,
    rawBytesMax: limits.pageRawBytesMax,
    bytesMax: limits.pageBytesMax,
  };
  now = Date.parse('2026-11-23T08:00:00Z');
  #ids = 0;
  readonly ids = { next: () => `g${(this.#ids += 1)}` };

  constructor(faults: Faults, sizes: ChunkSizes) {
    this.sizes = sizes;
    this.feeds = new MemoryFeedStore(faults);
    this.objects = new MemoryObjectStore(faults, () => this.now);
    // People retry their edits; the faults of interest are behind the stream.
    this.records = new MemoryRecordStore(Faults.none(), () => this.now);
  }

  get clock() {
    return { now: () => this.now };
  }

  write(collection: string, puts: readonly unknown[], deletes: readonly string[] = []) {
    return writeRecords({ records: this.records, clock: this.clock, scopes: this.scopes }, { collection, puts, deletes });
  }

  /** One delivery of stream records [from, to). Resolves to the index from which it must be delivered again. */
  async deliver(from: number, to: number): Promise<number> {
    const batch = this.records.stream.slice(from, to);
    if (batch.length === 0) return to;
    const failedFrom = await this.consume(batch);
    return failedFrom === null ? to : Number(failedFrom) - 1;
  }

  /** One invocation of the stream's consumer. Resolves to the sequence number it must be given again; null: it took all. */
  async consume(batch: readonly StreamRecord[]): Promise<string | null> {
    const { failedFrom } = await writeFeeds(
      {
        feeds: this.feeds,
        records: this.records,
        quarantine: {
          put: (entries) => {
            for (const entry of entries) this.quarantine.set(entry.id, entry);
            return Promise.resolve();
          },
        },
        clock: this.clock,
        ids: this.ids,
        rescopes: {
          send: (work) => {
            this.rescopes.push(...work);
            return Promise.resolve();
          },
        },
        settings: { withheld: new Set(WITHHELD), scopes: this.scopes },
        pages: this.pages,
      },
      batch,
    );
    return failedFrom;
  }

  /** As the doorbell makes it. */
  async seal(feed: FeedName): Promise<void> {
    const state = (await this.feeds.readFeeds([feed])).get(feed);
    if (state !== undefined) await sealFeed({ feeds: this.feeds, objects: this.objects, clock: this.clock, sealing: SEALING }, state);
  }

  compact(feed: FeedName) {
    return compactFeed({ feeds: this.feeds, objects: this.objects, clock: this.clock, sealing: SEALING, sizes: this.sizes }, feed);
  }

  /** fold(1…position): live rows per collection and key, straight from the pages. */
  async foldOf(feed: FeedName, position: number): Promise<Map<string, string>> {
    const fold = new Fold();
    for (const page of this.feeds.feeds.get(feed)?.pages.slice(0, position) ?? [])
      fold.add(decodeSections(await unpack(page.body, { rawBytesMax: 1 << 26 })));
    return stateOf(fold.collections().map((collection) => [collection, fold.rows(collection)]));
  }

  manifest(feed: FeedName): Promise<Manifest> {
    const pointer = this.feeds.feeds.get(feed)?.snapshot;
    return this.readManifest(feed, pointer?.manifestSha256 ?? '');
  }

  async readManifest(feed: FeedName, sha256: string): Promise<Manifest> {
    const bytes = this.objects.objects.get(manifestKey(feed, sha256)) ?? new Uint8Array();
    return manifestSchema.parse(JSON.parse((await unpack(bytes, { rawBytesMax: 1 << 26 })).toString('utf8')));
  }

  /** The state a snapshot holds, from its objects. */
  async snapshotState(manifest: Manifest): Promise<Map<string, string>> {
    const rows: [string, ReturnType<typeof chunkRows>][] = [];
    for (const { collection, chunk } of manifestRanges(manifest)) {
      const bytes = this.objects.objects.get(chunkKey(manifest.feed, chunk.sha256)) ?? new Uint8Array();
      rows.push([collection, chunkRows(decodeSections(await unpack(bytes, { rawBytesMax: 1 << 26 })))]);
    }
    return stateOf(rows);
  }
}

/** Live rows as `collection/key -> rev and values by name`, so that column order does not matter. */
function stateOf(parts: readonly (readonly [string, ReturnType<Fold['rows']>])[]): Map<string, string> {
  const state = new Map<string, string>();
  for (const [collection, rows] of parts) {
    for (const { key, rev, row, columns } of rows) {
      if (row === null || columns === null) continue;
      const values = columns.map((name, index) => [name, row[index + 2] ?? null] as const).filter(([, value]) => value !== null);
      state.set(`${collection}/${key}`, JSON.stringify([rev, Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)))]));
    }
  }
  return new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
}
