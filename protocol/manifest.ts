import * as z from 'zod';
import type { FeedName } from './feed.ts';

/**
 * A manifest names the chunks of one snapshot of one feed: the state that pages 1…position give.
 * It is a pure function of that state, so the same state always has the same manifest, byte for byte.
 *
 * Chunks of a collection are key ranges in order: chunk i holds the keys from its `from` up to the next chunk's
 * `from` (the first `from` is '', the last range is open). Boundaries are a property of the keys alone.
 */
export const chunkSchema = z.strictObject({
  /** First key of the range, inclusive. */
  from: z.string(),
  /** sha256 of the packed bytes, hex; also the object's name. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Packed size. */
  bytes: z.int().min(0),
  rawBytes: z.int().min(0),
  /** Live rows; `tombstones` come on top. */
  rows: z.int().min(0),
  tombstones: z.int().min(0),
  /** Range digest: sha256 over `key rev\n` of the live rows in key order, hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** sha256 over column names and rows (see `contentText`). What `verify --deep` compares. */
  content: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Chunk = z.infer<typeof chunkSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal(1),
  feed: z.custom<FeedName>((value) => typeof value === 'string' && value.includes('@')),
  generation: z.string().min(1),
  position: z.int().min(0),
  /** In catalogue order; a collection without rows is absent. */
  collections: z.array(z.strictObject({ collection: z.string(), chunks: z.array(chunkSchema) })),
  rows: z.int().min(0),
  /** Digest of all range digests (see `rootText`). What a certificate carries. */
  root: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** What is hashed (sha256) for a range digest: live rows only, in key order. SQL builds the same text. */
export function digestText(rows: readonly (readonly [key: string, rev: number, ...rest: unknown[]])[]): string {
  let text = '';
  for (const row of rows) text += `${row[0]} ${row[1]}\n`;
  return text;
}

/** What is hashed (sha256) for a snapshot's root: every range with its count and digest, in order. */
export function rootText(ranges: readonly { collection: string; from: string; rows: number; digest: string }[]): string {
  return ranges.map((range) => `${range.collection} ${range.from} ${range.rows} ${range.digest}\n`).join('');
}

/** What is hashed (sha256) for `content`. */
export function contentText(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  return `${JSON.stringify(columns)}\n${JSON.stringify(rows)}\n`;
}

export function manifestRanges(
  manifest: Pick<Manifest, 'collections'>,
): { collection: string; from: string; to: string | null; chunk: Chunk }[] {
  return manifest.collections.flatMap(({ collection, chunks }) =>
    chunks.map((chunk, index) => ({ collection, from: chunk.from, to: chunks[index + 1]?.from ?? null, chunk })),
  );
}
