import { expect, test } from 'vitest';
import type { FeedHead, FeedStore } from '../../core/ports/feed-store.ts';
import type { FeedName } from '../../protocol/feed.ts';

/** What every feed store promises; run over the one in memory and over DynamoDB's. `fresh` gives an unused feed name. */
export function feedStoreSuite(open: () => Promise<FeedStore>, fresh: () => FeedName): void {
  const page = (position: number, text = `page ${position}`) => ({
    position,
    body: new TextEncoder().encode(text),
    asOf: `2026-11-23T08:00:${String(position).padStart(2, '0')}.000Z`,
  });
  const appendMany = async (store: FeedStore, start: FeedHead, count: number): Promise<FeedHead> => {
    let head = start;
    for (let index = 0; index < count; index += 1) {
      const next = page(head.position + 1);
      expect(await store.appendPage(head, next)).toBe('appended');
      head = { ...head, position: next.position, asOf: next.asOf };
    }
    return head;
  };

  test('of two creators one generation wins, and both get it', async () => {
    const store = await open();
    const feed = fresh();
    const [a, b] = await Promise.all([store.createFeed(feed, 'g1'), store.createFeed(feed, 'g2')]);
    expect(a).toEqual(b);
    expect(await store.createFeed(feed, 'g3')).toEqual(a);
    expect(await store.listFeeds()).toContain(feed);
  });

  test('INV-01: pages are numbered without gaps, and of two writers at one head one wins', async () => {
    const store = await open();
    const head = await store.createFeed(fresh(), 'g');
    const outcomes = await Promise.all([store.appendPage(head, page(1, 'left')), store.appendPage(head, page(1, 'right'))]);
    expect(outcomes.sort()).toEqual(['appended', 'conflict']);
    const state = (await store.readFeeds([head.feed])).get(head.feed);
    expect(state?.head.position).toBe(1);
    expect((await store.readPages(head.feed, 0, 1_000_000)).map((found) => found.position)).toEqual([1]);
  });

  test('a head of another generation appends nothing', async () => {
    const store = await open();
    const head = await store.createFeed(fresh(), 'g');
    expect(await store.appendPage({ ...head, generation: 'other' }, page(1))).toBe('conflict');
    expect(await store.readPages(head.feed, 0, 1_000)).toEqual([]);
  });

  test('pages come in order after a position, within a budget but at least one', async () => {
    const store = await open();
    const feed = fresh();
    await appendMany(store, await store.createFeed(feed, 'g'), 12);
    expect((await store.readPages(feed, 3, 1_000_000)).map((found) => found.position)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect((await store.readPages(feed, 3, 20)).map((found) => found.position)).toEqual([4, 5, 6]);
    expect((await store.readPages(feed, 3, 0)).map((found) => found.position)).toEqual([4]);
    expect(await store.readPages(feed, 12, 1_000)).toEqual([]);
    expect((await store.readPages(feed, 11, 1_000))[0]?.body).toEqual(page(12).body);
  });

  test('a snapshot pointer moves only forward, and each published one can be read by its cursor', async () => {
    const store = await open();
    const feed = fresh();
    await store.createFeed(feed, 'g');
    const pointer = (position: number) => ({
      feed,
      generation: 'g',
      position,
      manifestSha256: 'm',
      root: `r${position}`,
      rows: 1,
      bytes: 2,
      chunks: 3,
    });
    expect(await store.publishSnapshot(pointer(0))).toBe('published');
    expect(await store.publishSnapshot(pointer(5))).toBe('published');
    expect(await store.publishSnapshot(pointer(3))).toBe('superseded');
    expect(await store.publishSnapshot(pointer(5))).toBe('superseded');
    expect((await store.readFeeds([feed])).get(feed)?.snapshot).toEqual(pointer(5));
    expect(await store.readSnapshot(feed, { generation: 'g', position: 0 })).toEqual(pointer(0));
    expect(await store.readSnapshot(feed, { generation: 'x', position: 0 })).toBeNull();
    expect(await store.readSnapshot(feed, { generation: 'g', position: 4 })).toBeNull();
  });

  test('INV-04: the segment index moves only from the version that was read, and is void in another generation', async () => {
    const store = await open();
    const head = await store.createFeed(fresh(), 'g');
    const empty = await store.readSegments(head);
    expect(empty).toEqual({ feed: head.feed, generation: 'g', version: 0, segments: [], pagesGoneThrough: 0 });
    const segment = (after: number, through: number) => ({
      after,
      through,
      level: 0,
      sha256: 'ab'.repeat(32),
      bytes: 1,
      rawBytes: 2,
      rows: 3,
      asOf: '2026-11-23T08:00:00.000Z',
      sealedAt: 1_800_000_000_000,
    });
    const one = { ...empty, segments: [segment(0, 4)] };
    const outcomes = await Promise.all([store.replaceSegments(empty, one), store.replaceSegments(empty, one)]);
    expect(outcomes.sort()).toEqual(['conflict', 'replaced']);
    const read = await store.readSegments(head);
    expect(read).toEqual({ ...one, version: 1 });
    expect(await store.replaceSegments(empty, one)).toBe('conflict');
    expect(await store.replaceSegments(read, { ...read, segments: [segment(0, 4), segment(4, 8)], pagesGoneThrough: 4 })).toBe('replaced');
    expect((await store.readSegments(head)).segments).toEqual([segment(0, 4), segment(4, 8)]);
    expect(await store.readSegments({ feed: head.feed, generation: 'other' })).toEqual({ ...empty, generation: 'other', version: 2 });
  });

  test('INV-01: pages that were thrown away are never read as if there were none', async () => {
    const store = await open();
    const feed = fresh();
    await appendMany(store, await store.createFeed(feed, 'g'), 30);
    await store.deletePages(feed, 0, 27);
    await store.deletePages(feed, 0, 27);
    expect((await store.readPages(feed, 27, 1_000_000)).map((found) => found.position)).toEqual([28, 29, 30]);
    await expect(store.readPages(feed, 20, 1_000_000)).rejects.toThrow(/INV-01/);
  });

  test('pages that an interrupted deletion left are swept away, up to a position and not beyond', async () => {
    const store = await open();
    const feed = fresh();
    await appendMany(store, await store.createFeed(feed, 'g'), 120);
    await store.deletePages(feed, 30, 60);
    expect(await store.sweepPages(feed, 115)).toBe(85);
    expect(await store.sweepPages(feed, 115)).toBe(0);
    expect((await store.readPages(feed, 115, 1_000_000)).map((found) => found.position)).toEqual([116, 117, 118, 119, 120]);
    await expect(store.readPages(feed, 0, 1_000_000)).rejects.toThrow(/INV-01/);
  });

  test('fifty feeds are read at once and absent ones are absent', async () => {
    const store = await open();
    const feeds = Array.from({ length: 49 }, fresh);
    await Promise.all(feeds.slice(0, 10).map((feed) => store.createFeed(feed, 'g')));
    expect([...(await store.readFeeds(feeds)).keys()].sort()).toEqual(feeds.slice(0, 10).sort());
  });
}
