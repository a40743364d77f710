import type { ManifestRange } from '../../core/reconcile/plan-ranges.ts';
import { type PutSection, type TombstoneRow, decodeSections } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * A chunk's text as rows, checked against what the manifest says of it: counts, collection, keys unique, in order and
 * within the range (INV-03). Its bytes were checked before. So a table that is filled from chunks in order gets its
 * keys in order, which is what makes a bulk load fast.
 */
export interface ChunkContent {
  readonly range: ManifestRange;
  /** null: no live rows. */
  readonly puts: PutSection | null;
  readonly tombstones: readonly TombstoneRow[];
}

export function readChunk(range: ManifestRange, text: string): ChunkContent {
  let puts: PutSection | null = null;
  let tombstones: readonly TombstoneRow[] = [];
  for (const section of decodeSections(text)) {
    if (section.collection !== range.collection) throw damaged(range, `it holds ${section.collection}`);
    checkKeys(range, section.rows);
    if (section.kind === 'tombstones') tombstones = section.rows;
    else if (puts === null) puts = section;
    else throw damaged(range, 'it has two put sections');
  }
  if ((puts?.rows.length ?? 0) !== range.chunk.rows || tombstones.length !== range.chunk.tombstones) {
    throw damaged(range, 'it does not hold the rows the manifest names');
  }
  return { range, puts, tombstones };
}

function checkKeys(range: ManifestRange, rows: readonly (readonly unknown[])[]): void {
  let previous = '';
  for (const [key, rev] of rows) {
    if (typeof key !== 'string' || typeof rev !== 'number' || key <= previous) throw damaged(range, 'its keys are not in order');
    previous = key;
  }
  const first = rows[0]?.[0] as string | undefined;
  if (first !== undefined && (first < range.from || (range.to !== null && previous >= range.to))) throw damaged(range, 'a key lies outside its range');
}

function damaged({ collection, from }: ManifestRange, why: string): SyncError {
  return new SyncError('INTEGRITY', `a chunk of ${collection} from ${JSON.stringify(from.slice(0, 3))}… is not what its manifest says: ${why}`);
}
