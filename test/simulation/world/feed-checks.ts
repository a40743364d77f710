import { strict as assert } from 'node:assert';
import { sha256Hex, unpack } from '../../../codec/pack.ts';
import type { SnapshotPointer } from '../../../core/ports/feed-store.ts';
import { type Segment, type SegmentIndex, horizon, sealedThrough } from '../../../core/segments/segment.ts';
import { chunkKey, segmentKey } from '../../../core/snapshot/object-keys.ts';
import { collectionOf } from '../../../protocol/catalogue/catalogue.ts';
import type { FeedName, Scope } from '../../../protocol/feed.ts';
import { manifestRanges, rootText } from '../../../protocol/manifest.ts';
import { type Section, decodeSections } from '../../../protocol/sections.ts';
import type { HeadOffice } from './head-office.ts';
import { Ledger, type State, type Version, versionsOf } from './ledger.ts';
import type { MemoryFeed } from './memory-feed-store.ts';

/** Checks of head office's feeds after a step. What cannot change is checked once, when it appears. */
export class FeedChecks {
  readonly #office: HeadOffice;
  /** By feed and generation. */
  readonly #ledgers = new Map<string, Ledger>();
  readonly #snapshots = new Set<string>();
  readonly #segments = new Set<string>();
  readonly #indexes = new Map<FeedName, SegmentIndex>();

  constructor(office: HeadOffice) {
    this.#office = office;
  }

  ledger(feed: FeedName, generation: string): Ledger {
    const name = `${generation} ${feed}`;
    const ledger = this.#ledgers.get(name) ?? new Ledger(feed);
    this.#ledgers.set(name, ledger);
    return ledger;
  }

  /** Of the generation the feed has now. */
  current(feed: FeedName): Ledger | undefined {
    const generation = this.#office.feeds.feeds.get(feed)?.head.generation;
    return generation === undefined ? undefined : this.ledger(feed, generation);
  }

  /** Every live row a feed ever had, in any generation. */
  wasOnce(feed: FeedName, row: string): boolean {
    return [...this.#ledgers.values()].some((ledger) => ledger.feed === feed && ledger.known.has(row));
  }

  async check(): Promise<void> {
    for (const [name, feed] of this.#office.feeds.feeds) {
      const { head, pages } = feed;
      assert.equal(head.position, pages.length, `INV-01: the head of ${name}`);
      const ledger = this.ledger(name, head.generation);
      await ledger.follow(pages);
      if (feed.segments?.generation === head.generation) await this.#checkSegments(feed, ledger, feed.segments);
      for (const pointer of feed.snapshots.values()) await this.#checkSnapshot(pointer);
    }
  }

  /** INV-04. */
  async #checkSegments({ head, gone, snapshot }: MemoryFeed, ledger: Ledger, index: SegmentIndex): Promise<void> {
    const sealed = sealedThrough(index);
    for (const position of gone) assert(position <= sealed, `INV-04: page ${position} of ${head.feed} went unsealed`);
    if (this.#indexes.get(head.feed) === index) return;
    this.#indexes.set(head.feed, index);
    assert(sealed <= head.position, `INV-04: ${head.feed} is sealed past its head`);
    const low = horizon(index);
    for (let from = low; from < sealed; from += 1)
      assert(leads(index.segments, from, sealed), `INV-04: no path from ${from} of ${head.feed}`);
    const base = snapshot?.generation === head.generation ? snapshot.position : 0;
    assert(base >= low, `INV-04: the next snapshot of ${head.feed} cannot be made, ${base} lies behind ${low}`);
    for (const segment of index.segments) {
      const { after, through, sha256 } = segment;
      const id = `${head.generation} ${after} ${through} ${sha256}`;
      if (this.#segments.has(id)) continue;
      const found = sortedVersions(await this.#sections(segmentKey(head.feed, sha256)));
      const fold = [...ledger.between(after, through)].sort(byId).map(([key, { rev, live }]) => [key, rev, live]);
      assert.deepEqual(found, fold, `INV-04: segment ${after}…${through} of ${head.feed}`);
      this.#segments.add(id);
    }
  }

  /** INV-03: a published snapshot is the fold of the pages up to it, and all its objects are what the manifest says. */
  async #checkSnapshot({ feed, generation, position, manifestSha256, root, rows }: SnapshotPointer): Promise<void> {
    const id = `${feed} ${manifestSha256}`;
    if (this.#snapshots.has(id)) return;
    const manifest = await this.#office.readManifest(feed, manifestSha256);
    assert.deepEqual([manifest.generation, manifest.position], [generation, position], `INV-03: the manifest of ${feed}`);
    const state = new Map<string, string>();
    const ranges = manifestRanges(manifest);
    for (const { collection, from, to, chunk } of ranges) {
      const versions = sortedVersions(await this.#sections(chunkKey(feed, chunk.sha256)));
      const live = versions.filter(([, , text]) => text !== null);
      const keys = versions.map(([row]) => row.slice(collection.length + 1));
      assert(
        keys.every((key) => key >= from && (to === null || key < to)),
        `INV-03: a key of ${feed} outside its chunk`,
      );
      assert.equal(chunk.rows, live.length, `INV-03: rows of a chunk of ${feed}`);
      assert.equal(chunk.tombstones, versions.length - live.length, `INV-03: tombstones of a chunk of ${feed}`);
      assert(chunk.rows <= this.#office.sizes.rowsMax, `INV-03: a chunk of ${feed} is too large`);
      const digest = live.map(([row, rev]) => `${row.slice(collection.length + 1)} ${rev}\n`).join('');
      assert.equal(chunk.digest, sha256Hex(digest), `INV-03: the digest of a chunk of ${feed}`);
      for (const [row, , text] of live) state.set(row, text as string);
    }
    const digests = ranges.map(({ collection, from, chunk }) => ({ collection, from, rows: chunk.rows, digest: chunk.digest }));
    assert.equal(root, sha256Hex(rootText(digests)), `INV-03: the root of ${feed}`);
    assert.equal(rows, state.size, `INV-03: rows of ${feed}`);
    assertSame(state, this.ledger(feed, generation).at(position), `INV-03: the snapshot of ${feed} at ${position}`);
    this.#snapshots.add(id);
  }

  /** INV-02, INV-07, INV-08: when all is delivered, the fold of all pages is main data, scope by scope. */
  checkFaithful(): void {
    const expected = stateByFeed(this.#office);
    for (const [feed, { head }] of this.#office.feeds.feeds) {
      assertSame(this.ledger(feed, head.generation).at(head.position), expected.get(feed) ?? new Map(), `INV-02: ${feed}`);
      expected.delete(feed);
    }
    for (const [feed, state] of expected) assert.equal(state.size, 0, `INV-02: nothing of ${feed} is in a page`);
  }

  async #sections(key: string): Promise<Section[]> {
    const bytes = this.#office.objects.objects.get(key);
    assert(bytes !== undefined, `INV-03: the object ${key} is named and was never put`);
    assert.equal(sha256Hex(bytes), key.slice(key.lastIndexOf('/') + 1), `INV-03: the object ${key} has other bytes`);
    return decodeSections(await unpack(bytes, { rawBytesMax: 1 << 26 }));
  }
}

/** Main data as its feeds should hold it: live records by feed, without what is withheld. */
export function stateByFeed({ records }: HeadOffice): Map<FeedName, Map<string, string>> {
  const states = new Map<FeedName, Map<string, string>>();
  for (const { collection, key, rev, scopes, deleted, fields } of records.records.values()) {
    if (deleted) continue;
    const { component, key: keyFields } = collectionOf(collection);
    const left = keyFields.length === 1 ? keyFields : [];
    const values = Object.entries(fields)
      .filter(([name]) => !left.includes(name) && `${collection}.${name}` !== 'customer.dob')
      .toSorted(byId);
    const text = JSON.stringify([rev, Object.fromEntries(values)]);
    for (const scope of scopes satisfies readonly Scope[]) {
      const feed: FeedName = `${component}@${scope}`;
      const state = states.get(feed) ?? new Map<string, string>();
      states.set(feed, state.set(`${collection}/${key}`, text));
    }
  }
  return states;
}

/** Quick where they are the same, plain where they are not. */
export function assertSame(found: State, expected: State, what: string): void {
  let same = found.size === expected.size;
  for (const [id, text] of expected) same &&= found.get(id) === text;
  if (!same) assert.deepEqual(new Map([...found].sort(byId)), new Map([...expected].sort(byId)), what);
}

function sortedVersions(sections: readonly Section[]): (readonly [string, number, Version['live']])[] {
  return sections
    .flatMap((section) => versionsOf(section, 0))
    .sort(byId)
    .map(([id, { rev, live }]) => [id, rev, live] as const);
}

function byId([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether segments bring a cursor from here to exactly the sealed end. */
function leads(segments: readonly Segment[], from: number, to: number): boolean {
  const reached = new Set([from]);
  for (const at of reached) for (const { after, through } of segments) if (after <= at && through > at) reached.add(through);
  return reached.has(to);
}
