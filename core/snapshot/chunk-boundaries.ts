import { keyHash } from '../key-hash.ts';

/**
 * Where chunks begin: content-defined boundaries.
 *
 * Whether a key is a boundary is a property of the key alone: its hash is below a threshold, which is higher on each
 * finer level, so the boundaries of a level are boundaries of all finer ones. A range between two boundaries of level 0
 * is a group; a group with more than `rowsMax` rows is cut at the boundaries of level 1, a part still too large
 * at those of level 2, and so on. So a change touches only its own group, chunk sizes are bounded, and the same set
 * of keys always gives the same chunks, whatever the order in which they came.
 */
const HASH_SPACE = 2 ** 32;
/** Below this a threshold covers the whole hash space for any target up to 2^32. */
const LEVEL_MAX = 32;

export interface ChunkSizes {
  /** Mean rows of a group. */
  readonly rowsTarget: number;
  /** No chunk has more rows than this. */
  readonly rowsMax: number;
}

export function isBoundary(key: string, level: number, { rowsTarget }: ChunkSizes): boolean {
  return keyHash(key) < (HASH_SPACE / rowsTarget) * 2 ** level;
}

/** Indexes at which chunks begin, for the keys of one group (or of a whole collection) in order. Empty for no keys. */
export function chunkStarts(keys: readonly string[], sizes: ChunkSizes): number[] {
  return keys.length === 0 ? [] : cut(keys, { from: 0, to: keys.length, level: 0 }, sizes);
}

interface Part {
  readonly from: number;
  readonly to: number;
  /** Boundaries of this level are always cut at when `level` is 0; of a finer one only in a part that is too large. */
  readonly level: number;
}

function cut(keys: readonly string[], part: Part, sizes: ChunkSizes): number[] {
  if (part.level > LEVEL_MAX) return [part.from];
  if (part.level > 0 && part.to - part.from <= sizes.rowsMax) return [part.from];
  const starts = [part.from];
  for (let index = part.from + 1; index < part.to; index += 1) {
    if (isBoundary(keys[index] as string, part.level, sizes)) starts.push(index);
  }
  return starts.flatMap((from, index) => cut(keys, { from, to: starts[index + 1] ?? part.to, level: part.level + 1 }, sizes));
}
