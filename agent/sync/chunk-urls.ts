import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { CloudApi } from '../transport/cloud-api.ts';

/**
 * Addresses of the chunks of one feed, asked for in batches just before they are needed, because they live minutes.
 * The request names no cursors, so the answer carries no pages.
 */
export class ChunkUrls {
  readonly #cloud: Pick<CloudApi, 'plan'>;
  readonly #feed: FeedName;
  /** In the order in which they will be asked for. */
  readonly #order: readonly string[];
  readonly #urls = new Map<string, Promise<string>>();

  constructor(cloud: Pick<CloudApi, 'plan'>, feed: FeedName, order: readonly string[]) {
    this.#cloud = cloud;
    this.#feed = feed;
    this.#order = order;
  }

  async get(sha256: string, renew: boolean): Promise<string> {
    if (renew) this.#urls.clear();
    const known = this.#urls.get(sha256);
    if (known !== undefined) return known;
    const from = this.#order.indexOf(sha256);
    const batch = from < 0 ? [sha256] : this.#order.slice(from, from + limits.planChunkUrlsMax);
    const answer = this.#ask(batch);
    for (const name of batch)
      this.#urls.set(
        name,
        answer.then((urls) => found(urls, name)),
      );
    for (const url of this.#urls.values()) url.catch(() => this.#urls.clear());
    return this.#urls.get(sha256) as Promise<string>;
  }

  async #ask(sha256: string[]): Promise<Map<string, string>> {
    const { chunkUrls } = await this.#cloud.plan({ feeds: [], chunks: { feed: this.#feed, sha256 } });
    return new Map(chunkUrls.map((chunk) => [chunk.sha256, chunk.url]));
  }
}

function found(urls: ReadonlyMap<string, string>, sha256: string): string {
  const url = urls.get(sha256);
  if (url === undefined) throw new SyncError('UNAVAILABLE', 'head office gave no address for a chunk');
  return url;
}
