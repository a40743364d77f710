import * as z from 'zod';
import { PAGE_LEVEL, pack, unpack } from '../../codec/pack.ts';
import type { Segment, SegmentIndex } from '../../core/segments/segment.ts';
import type { FeedName } from '../../protocol/feed.ts';

/**
 * A feed's segment index as one item, packed: every store that is behind reads it, and 4 KB of an item are one read unit.
 * A segment is `[after, through, level, sha256 as base64url, bytes, rawBytes, rows, asOf, sealedAt]`.
 */
const INDEX_BYTES_MAX = 1 << 20;
const itemSchema = z.object({
  generation: z.string(),
  version: z.number(),
  pagesGoneThrough: z.number(),
  body: z.instanceof(Uint8Array),
});
const rowSchema = z.tuple([z.int(), z.int(), z.int(), z.string(), z.int(), z.int(), z.int(), z.string(), z.int()]);

export async function packIndex({
  generation,
  version,
  pagesGoneThrough,
  segments,
}: SegmentIndex): Promise<Omit<SegmentIndex, 'feed' | 'segments'> & { body: Uint8Array }> {
  const rows = segments.map((segment) => [
    segment.after,
    segment.through,
    segment.level,
    Buffer.from(segment.sha256, 'hex').toString('base64url'),
    segment.bytes,
    segment.rawBytes,
    segment.rows,
    segment.asOf,
    segment.sealedAt,
  ]);
  return { generation, version, pagesGoneThrough, body: await pack(JSON.stringify(rows), PAGE_LEVEL) };
}

export async function unpackIndex(feed: FeedName, item: unknown): Promise<SegmentIndex> {
  const { body, ...rest } = itemSchema.parse(item);
  const text = (await unpack(body, { rawBytesMax: INDEX_BYTES_MAX })).toString('utf8');
  const segments = z
    .array(rowSchema)
    .parse(JSON.parse(text))
    .map(([after, through, level, sha, bytes, rawBytes, rows, asOf, sealedAt]): Segment => ({
      after,
      through,
      level,
      sha256: Buffer.from(sha, 'base64url').toString('hex'),
      bytes,
      rawBytes,
      rows,
      asOf,
      sealedAt,
    }));
  return { feed, ...rest, segments };
}
