import type { FeedHead, FeedStore } from '../core/ports/feed-store.ts';
import { must } from '../protocol/assert.ts';
import { SyncError } from '../protocol/sync-error.ts';

/** Another writer of the same feed can be in the way at most as often as it has pages; then something else is wrong. */
const APPEND_TRIES = 50;

/** The next page of a feed, after whatever others append at the same time (INV-01). Resolves to the head it makes. */
export async function appendPage(
  feeds: Pick<FeedStore, 'readFeeds' | 'appendPage'>,
  from: FeedHead,
  page: { readonly body: Uint8Array; readonly asOf: string },
): Promise<FeedHead> {
  let head = from;
  for (let tries = 0; tries < APPEND_TRIES; tries += 1) {
    const asOf = head.asOf !== null && head.asOf > page.asOf ? head.asOf : page.asOf;
    const position = head.position + 1;
    if ((await feeds.appendPage(head, { position, body: page.body, asOf })) === 'appended') return { ...head, position, asOf };
    head = must((await feeds.readFeeds([head.feed])).get(head.feed), `${head.feed} exists`).head;
  }
  throw new SyncError('CONFLICT', `${from.feed}: other writers were faster ${APPEND_TRIES} times`);
}
