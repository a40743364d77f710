import { PAGE_LEVEL, pack } from '../../codec/pack.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { appendPage } from '../append-page.ts';
import { type CompactDeps, compactFeed } from '../compact/compact.ts';

/**
 * A feed forgets its history: from now on there is its newest snapshot and what comes after it.
 *
 * An empty page first, so that the snapshot is one that every store has yet to pass: each reconciles with it, fetches
 * only ranges that differ, and its certificate proves that it is past what was erased. Then no segment leads there any
 * more; their objects, and the pages, go with the next sweep and seal (INV-42). A plan that has just been given pages
 * may miss one and asks again.
 */
export interface ForgetOptions {
  /** Tombstones that the snapshot leaves out, by collection and key. */
  readonly purge: ((collection: string, key: string) => boolean) | null;
}

const TRIES = 10;

export async function forgetFeed(
  deps: CompactDeps,
  feed: FeedName,
  { purge }: ForgetOptions,
): Promise<{ generation: string; position: number } | null> {
  const state = (await deps.feeds.readFeeds([feed])).get(feed);
  if (state === undefined) return null;
  const body = await pack('', PAGE_LEVEL);
  const { generation, position } = await appendPage(deps.feeds, state.head, { body, asOf: new Date(deps.clock.now()).toISOString() });
  await compactFeed(purge === null ? deps : { ...deps, purge }, feed);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const after = (await deps.feeds.readFeeds([feed])).get(feed);
    if (after?.snapshot?.generation !== generation) throw new SyncError('CONFLICT', `${feed} began anew meanwhile`, { retryAfterMs: 500 });
    const snapshotAt = after.snapshot.position;
    const index = await deps.feeds.readSegments(after.head);
    const segments = index.segments.filter(({ through }) => through > snapshotAt);
    const pagesGoneThrough = Math.max(index.pagesGoneThrough, snapshotAt);
    if ((await deps.feeds.replaceSegments(index, { ...index, segments, pagesGoneThrough })) === 'replaced') return { generation, position };
  }
  throw new SyncError('CONFLICT', `${feed}: others keep sealing it`, { retryAfterMs: 500 });
}
