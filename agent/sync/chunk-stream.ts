import { unpack } from '../../codec/pack.ts';
import type { ManifestRange } from '../../core/reconcile/plan-ranges.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { agentLimits } from '../agent-limits.ts';
import { type ChunkContent, readChunk } from '../replica/chunk-content.ts';
import { ChunkUrls } from './chunk-urls.ts';
import type { SyncDeps } from './sync-deps.ts';

/**
 * Chunks in order, each downloaded and unpacked ahead of its turn.
 *
 * At most three chunks and 32 MiB of text are ahead of the one the caller works on, so memory is bounded whatever the
 * snapshot's size. A chunk is parsed only when its turn has come. The event loop gets a turn between two chunks, or
 * nothing would be downloaded while rows are inserted. Why no worker threads: measured, they buy nothing; zlib's pool
 * overlaps already and the insert is the limit.
 */
export interface ChunkWork {
  readonly feed: FeedName;
  readonly range: ManifestRange;
}

export async function* chunkStream(deps: SyncDeps, work: readonly ChunkWork[]): AsyncGenerator<{ feed: FeedName; content: ChunkContent }> {
  const urls = urlSources(deps, work);
  const ahead: { item: ChunkWork; text: Promise<Buffer> }[] = [];
  let aheadBytes = 0;
  let next = 0;
  const fill = () => {
    while (next < work.length && ahead.length < agentLimits.chunksAhead) {
      const item = work[next] as ChunkWork;
      const { rawBytes } = item.range.chunk;
      if (ahead.length > 0 && aheadBytes + rawBytes > agentLimits.aheadRawBytesMax) return;
      const text = fetchText(deps, item, urls);
      // Looked at when its turn comes; until then a failure must not end the process.
      text.catch(() => {});
      ahead.push({ item, text });
      aheadBytes += rawBytes;
      next += 1;
    }
  };
  fill();
  for (let head = ahead.shift(); head !== undefined; head = ahead.shift()) {
    deps.signal.throwIfAborted();
    const { feed, range } = head.item;
    const text = await head.text;
    aheadBytes -= range.chunk.rawBytes;
    fill();
    await new Promise((resolve) => setImmediate(resolve));
    yield { feed, content: readChunk(range, text) };
  }
}

async function fetchText(deps: SyncDeps, { feed, range }: ChunkWork, urls: ReadonlyMap<FeedName, ChunkUrls>): Promise<Buffer> {
  const { sha256, bytes, rawBytes } = range.chunk;
  const spooled = deps.download.has(sha256);
  const packed = await deps.download.get({
    sha256,
    bytesMax: bytes,
    url: async (renew) => (urls.get(feed) as ChunkUrls).get(sha256, renew),
  });
  if (spooled) deps.count.chunksSkipped += 1;
  else deps.count.chunksFetched += 1;
  return unpack(packed, { rawBytesMax: limits.chunkRawBytesMax, rawBytes });
}

function urlSources({ cloud, download }: SyncDeps, work: readonly ChunkWork[]): Map<FeedName, ChunkUrls> {
  const missing = new Map<FeedName, string[]>();
  for (const { feed, range } of work) {
    const order = missing.get(feed) ?? [];
    missing.set(feed, order);
    if (!download.has(range.chunk.sha256)) order.push(range.chunk.sha256);
  }
  return new Map([...missing].map(([feed, order]) => [feed, new ChunkUrls(cloud, feed, order)]));
}
