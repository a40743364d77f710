import type { ManifestRange } from '../../core/reconcile/plan-ranges.ts';
import { type Block, type SectionReader, type TombstoneRow, type Utf8Bytes, readSections } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * A chunk's text as blocks of rows, checked against what the manifest says of it: counts, collection, keys unique, in
 * order and within the range (INV-03). Its bytes were checked before. So a table that is filled from chunks in order gets
 * its keys in order, which is what makes a bulk load fast.
 *
 * A block is parsed when it is taken, so at no time more than a few thousand rows are alive and garbage dies young.
 */
export interface ChunkPuts {
  readonly collection: string;
  readonly columns: readonly string[];
  /** Once only: the counts are checked when the last block was taken. */
  readonly blocks: Iterable<Block>;
}

export interface ChunkContent {
  readonly range: ManifestRange;
  /** null: no live rows. */
  readonly puts: ChunkPuts | null;
  readonly tombstones: readonly TombstoneRow[];
}

export function readChunk(range: ManifestRange, text: Utf8Bytes): ChunkContent {
  const { chunk, collection } = range;
  let puts: ChunkPuts | null = null;
  let tombstones: readonly TombstoneRow[] = [];
  for (const section of readSections(text)) {
    if (section.collection !== collection) throw damaged(range, 'it holds another collection');
    const blocks = checkedBlocks(range, section);
    if (section.kind === 'tombstones')
      tombstones = [...blocks].flatMap(({ keys, revs }) => keys.map((key, index): TombstoneRow => [key, revs[index] ?? 0]));
    else if (puts === null && section.rows === chunk.rows) puts = { collection, columns: section.columns, blocks };
    else throw damaged(range, 'it does not hold the rows the manifest names');
  }
  if ((puts === null) !== (chunk.rows === 0) || tombstones.length !== chunk.tombstones) {
    throw damaged(range, 'it does not hold the rows the manifest names');
  }
  return { range, puts, tombstones };
}

function* checkedBlocks(range: ManifestRange, { blocks }: SectionReader): Generator<Block> {
  let previous = '';
  for (const block of blocks) {
    const { keys, revs } = block;
    for (const key of keys) {
      if (typeof key !== 'string' || key <= previous) throw damaged(range, 'its keys are not in order');
      previous = key;
    }
    if (!revs.every(Number.isSafeInteger)) throw damaged(range, 'a revision is no number');
    const first = keys[0];
    if (first !== undefined && (first < range.from || (range.to !== null && previous >= range.to)))
      throw damaged(range, 'a key lies outside its range');
    yield block;
  }
}

function damaged({ collection, from }: ManifestRange, why: string): SyncError {
  const at = from === '' ? 'first' : 'later';
  return new SyncError('INTEGRITY', `a chunk of ${collection} (a ${at} range) is not what its manifest says: ${why}`);
}
