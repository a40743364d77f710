import type { FeedHead, FeedPage, FeedState, FeedStore, SnapshotPointer } from '../../../core/ports/feed-store.ts';
import { type SegmentIndex, emptyIndex } from '../../../core/segments/segment.ts';
import { assert } from '../../../protocol/assert.ts';
import type { Cursor, FeedName } from '../../../protocol/feed.ts';
import type { Faults } from './faults.ts';

/** Feeds in memory, with the same promises as DynamoDB's; every call is a point where a fault may strike. */
export interface MemoryFeed {
  head: FeedHead;
  readonly pages: FeedPage[];
  snapshot: SnapshotPointer | null;
  readonly snapshots: Map<string, SnapshotPointer>;
  segments: SegmentIndex | null;
  /** Positions of pages that were thrown away. They stay in `pages`, for the checks. */
  readonly gone: Set<number>;
}

export class MemoryFeedStore implements FeedStore {
  readonly feeds = new Map<FeedName, MemoryFeed>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  readFeeds(names: readonly FeedName[]): Promise<ReadonlyMap<FeedName, FeedState>> {
    return this.#faults.strike('readFeeds', () => {
      const found = names.flatMap((name): [FeedName, FeedState][] => {
        const feed = this.feeds.get(name);
        return feed === undefined ? [] : [[name, { head: feed.head, snapshot: feed.snapshot }]];
      });
      return new Map(found);
    });
  }

  listFeeds(): Promise<FeedName[]> {
    return this.#faults.strike('listFeeds', () => [...this.feeds.keys()]);
  }

  createFeed(feed: FeedName, generation: string): Promise<FeedHead> {
    return this.#faults.strike('createFeed', () => {
      const existing = this.feeds.get(feed);
      if (existing !== undefined) return existing.head;
      const head: FeedHead = { feed, generation, position: 0, asOf: null };
      this.feeds.set(feed, { head, pages: [], snapshot: null, snapshots: new Map(), segments: null, gone: new Set() });
      return head;
    });
  }

  /** What a rebuild does, in one step: another generation, in which nothing of the old one counts. */
  restart(name: FeedName, generation: string, first: FeedPage): void {
    const before = this.feeds.get(name);
    assert(before !== undefined, `no feed ${name}`);
    const head: FeedHead = { feed: name, generation, position: 1, asOf: first.asOf };
    this.feeds.set(name, { ...before, head, pages: [first], gone: new Set() });
  }

  appendPage(after: FeedHead, page: FeedPage): Promise<'appended' | 'conflict'> {
    return this.#faults.strike('appendPage', () => {
      assert(page.position === after.position + 1, 'INV-01: a page follows its head');
      const feed = this.feeds.get(after.feed);
      if (feed === undefined || feed.head.position !== after.position || feed.head.generation !== after.generation) return 'conflict';
      feed.pages.push(page);
      feed.head = { ...feed.head, position: page.position, asOf: page.asOf };
      return 'appended';
    });
  }

  readPages(name: FeedName, after: number, bytesMax: number): Promise<FeedPage[]> {
    return this.#faults.strike('readPages', () => {
      const pages: FeedPage[] = [];
      let bytes = 0;
      for (const page of this.feeds.get(name)?.pages.slice(after) ?? []) {
        assert(this.feeds.get(name)?.gone.has(page.position) !== true, () => `INV-01: ${name} has no page ${page.position}`);
        if (pages.length > 0 && bytes + page.body.length > bytesMax) break;
        pages.push(page);
        bytes += page.body.length;
      }
      return pages;
    });
  }

  publishSnapshot(pointer: SnapshotPointer): Promise<'published' | 'superseded'> {
    return this.#faults.strike('publishSnapshot', () => {
      const feed = this.feeds.get(pointer.feed);
      assert(feed !== undefined, `no feed ${pointer.feed}`);
      const { snapshot } = feed;
      if (snapshot !== null && snapshot.generation === pointer.generation && snapshot.position >= pointer.position) return 'superseded';
      feed.snapshot = pointer;
      feed.snapshots.set(`${pointer.generation}/${pointer.position}`, pointer);
      return 'published';
    });
  }

  readSegments({ feed, generation }: Pick<FeedHead, 'feed' | 'generation'>): Promise<SegmentIndex> {
    return this.#faults.strike('readSegments', () => {
      const index = this.feeds.get(feed)?.segments ?? emptyIndex(feed, generation);
      return index.generation === generation ? index : emptyIndex(feed, generation, index.version);
    });
  }

  replaceSegments(before: SegmentIndex, after: SegmentIndex): Promise<'replaced' | 'conflict'> {
    return this.#faults.strike('replaceSegments', () => {
      const feed = this.feeds.get(after.feed);
      assert(feed !== undefined, `no feed ${after.feed}`);
      if ((feed.segments?.version ?? 0) !== before.version) return 'conflict';
      feed.segments = { ...after, version: before.version + 1 };
      return 'replaced';
    });
  }

  deletePages(name: FeedName, after: number, through: number): Promise<void> {
    return this.#faults.strike('deletePages', () => {
      const gone = this.feeds.get(name)?.gone;
      for (let position = after + 1; position <= through; position += 1) gone?.add(position);
    });
  }

  sweepPages(name: FeedName, through: number): Promise<number> {
    return this.#faults.strike('sweepPages', () => {
      const { pages, gone } = this.feeds.get(name) ?? { pages: [], gone: new Set<number>() };
      const left = pages.filter(({ position }) => position <= through && !gone.has(position));
      for (const { position } of left) gone.add(position);
      return left.length;
    });
  }

  sweepSnapshots(name: FeedName, kept: ReadonlySet<string>): Promise<number> {
    return this.#faults.strike('sweepSnapshots', () => {
      const snapshots = this.feeds.get(name)?.snapshots ?? new Map<string, SnapshotPointer>();
      const gone = [...snapshots].filter(([, { manifestSha256 }]) => !kept.has(manifestSha256));
      for (const [id] of gone) snapshots.delete(id);
      return gone.length;
    });
  }

  readSnapshot(feed: FeedName, cursor: Cursor): Promise<SnapshotPointer | null> {
    return this.#faults.strike(
      'readSnapshot',
      () => this.feeds.get(feed)?.snapshots.get(`${cursor.generation}/${cursor.position}`) ?? null,
    );
  }
}
