import { unpack } from '../../codec/pack.ts';
import type { SnapshotPointer } from '../../core/ports/feed-store.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { chunkRows } from '../../core/snapshot/compact-collection.ts';
import type { FoldedRow } from '../../core/snapshot/fold.ts';
import { chunkKey, manifestKey } from '../../core/snapshot/object-keys.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { type Chunk, type Manifest, manifestSchema } from '../../protocol/manifest.ts';
import { decodeSections } from '../../protocol/sections.ts';

/** A snapshot as it stands in the bucket. */
type Reader = Pick<ObjectStore, 'get'>;

export async function readManifest(objects: Reader, pointer: Pick<SnapshotPointer, 'feed' | 'manifestSha256'>): Promise<Manifest> {
  const text = await unpack(await objects.get(manifestKey(pointer.feed, pointer.manifestSha256)), { rawBytesMax: limits.chunkRawBytesMax });
  return manifestSchema.parse(JSON.parse(text.toString('utf8')));
}

/** Rows and tombstones in key order. */
export async function readChunk(objects: Reader, feed: FeedName, { sha256, rawBytes }: Chunk): Promise<FoldedRow[]> {
  const bytes = await objects.get(chunkKey(feed, sha256));
  return chunkRows(decodeSections(await unpack(bytes, { rawBytesMax: limits.chunkRawBytesMax, rawBytes })));
}
