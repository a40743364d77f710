import { type Chunk, type Manifest, manifestRanges } from '../../protocol/manifest.ts';

/**
 * Which ranges of a replica have to be replaced so that it is what a manifest says, and nothing else.
 *
 * A range is left alone when its live rows have the manifest's digest and the replica knows at least as many deletions
 * in it: with fewer, a late repeat of an old put could bring back a row that is gone (INV-06). Collections that the
 * manifest does not have are cleared. Promises that a replica which is replaced and cleared like this equals the
 * manifest; the caller checks it all the same.
 */
export interface ManifestRange {
  readonly collection: string;
  /** Inclusive. */
  readonly from: string;
  /** Exclusive; null: open. */
  readonly to: string | null;
  readonly chunk: Chunk;
}

/** What a replica holds in one range of a manifest. */
export interface OwnRange {
  readonly rows: number;
  readonly digest: string;
  readonly tombstones: number;
}

export interface RangePlan {
  readonly replace: readonly ManifestRange[];
  readonly clear: readonly string[];
  /** Ranges that are right already. */
  readonly kept: number;
}

export interface RangePlanInput {
  readonly manifest: Pick<Manifest, 'collections'>;
  /** In the order of `manifestRanges(manifest)`. */
  readonly own: readonly OwnRange[];
  /** Collections of the manifest's feed in which the replica holds anything. */
  readonly held: readonly string[];
}

export function planRanges({ manifest, own, held }: RangePlanInput): RangePlan {
  const ranges = manifestRanges(manifest);
  const replace = ranges.filter((range, index) => differs(range.chunk, own[index]) || lacksDeletions(range.chunk, own[index]));
  const named = new Set(manifest.collections.map((part) => part.collection));
  return { replace, clear: held.filter((collection) => !named.has(collection)), kept: ranges.length - replace.length };
}

/** Whether the live rows differ: what a verification reports. */
export function differs(chunk: Pick<Chunk, 'rows' | 'digest'>, own: OwnRange | undefined): boolean {
  return own?.rows !== chunk.rows || own.digest !== chunk.digest;
}

function lacksDeletions(chunk: Chunk, own: OwnRange | undefined): boolean {
  return (own?.tombstones ?? 0) < chunk.tombstones;
}
