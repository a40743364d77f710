import type { ManifestRange } from '../../core/reconcile/plan-ranges.ts';
import type { PutRow, TombstoneRow } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * A chunk's text as rows, checked against what the manifest says of it: counts, collection, keys unique, in order and
 * within the range (INV-03). Its bytes were checked before. So a table that is filled from chunks in order gets its
 * keys in order, which is what makes a bulk load fast.
 *
 * Rows come in batches that are parsed one by one, so that at no time more than a batch of them is alive: a third less
 * memory than parsing the section whole, and garbage that dies young. A batch may end wherever `],["` stands in the
 * text: within a JSON string the quote would be escaped, and values are never arrays, so it is always between two rows.
 */
export interface ChunkPuts {
  readonly collection: string;
  readonly columns: readonly string[];
  /** Once only: the counts are checked when the last batch was taken. */
  readonly batches: Iterable<readonly PutRow[]>;
}

export interface ChunkContent {
  readonly range: ManifestRange;
  /** null: no live rows. */
  readonly puts: ChunkPuts | null;
  readonly tombstones: readonly TombstoneRow[];
}

/** ~1,000 rows of a customer: much smaller, and the calls cost; much larger, and rows leave the processor's cache. */
const BATCH_CHARS = 400_000;

interface Header {
  readonly collection?: unknown;
  readonly columns?: unknown;
  readonly rows?: unknown;
  readonly tombstones?: unknown;
}

export function readChunk(range: ManifestRange, text: string): ChunkContent {
  let puts: ChunkPuts | null = null;
  let tombstones: readonly TombstoneRow[] = [];
  for (let at = 0; at < text.length;) {
    const headerEnd = text.indexOf('\n', at);
    const rowsEnd = headerEnd < 0 ? -1 : text.indexOf('\n', headerEnd + 1);
    if (rowsEnd < 0) throw damaged(range, 'it is cut off');
    const header = parseJson(range, text.slice(at, headerEnd)) as Header;
    if (header.collection !== range.collection) throw damaged(range, 'it holds another collection');
    const rows = { text, from: headerEnd + 1, to: rowsEnd };
    if (header.tombstones === range.chunk.tombstones)
      tombstones = [...batches(range, rows, range.chunk.tombstones)].flat() as TombstoneRow[];
    else if (header.rows === range.chunk.rows && Array.isArray(header.columns) && puts === null) {
      puts = { collection: range.collection, columns: header.columns as string[], batches: batches(range, rows, range.chunk.rows) };
    } else throw damaged(range, 'it does not hold the rows the manifest names');
    at = rowsEnd + 1;
  }
  if ((puts === null) !== (range.chunk.rows === 0) || tombstones.length !== range.chunk.tombstones) {
    throw damaged(range, 'it does not hold the rows the manifest names');
  }
  return { range, puts, tombstones };
}

interface RowsText {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

function* batches(range: ManifestRange, { text, from, to }: RowsText, expected: number): Generator<PutRow[]> {
  let previous = '';
  let count = 0;
  // Without the brackets around all rows.
  for (let at = from + 1; at < to - 1;) {
    const cut = text.indexOf('],["', at + BATCH_CHARS);
    const end = cut < 0 || cut >= to ? to - 1 : cut + 1;
    const rows = parseJson(range, `[${text.slice(at, end)}]`) as PutRow[];
    previous = checkKeys(range, rows, previous);
    count += rows.length;
    yield rows;
    at = end + 1;
  }
  if (count !== expected) throw damaged(range, 'it does not hold the rows the manifest names');
}

/** The last key. */
function checkKeys(range: ManifestRange, rows: readonly (readonly unknown[])[], before: string): string {
  let previous = before;
  for (const [key, rev] of rows) {
    if (typeof key !== 'string' || typeof rev !== 'number' || key <= previous) throw damaged(range, 'its keys are not in order');
    previous = key;
  }
  const first = rows[0]?.[0] as string | undefined;
  if (first !== undefined && (first < range.from || (range.to !== null && previous >= range.to)))
    throw damaged(range, 'a key lies outside its range');
  return previous;
}

function parseJson(range: ManifestRange, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and the text is people's data.
    throw damaged(range, 'a part of it is not JSON');
  }
}

function damaged({ collection, from }: ManifestRange, why: string): SyncError {
  const at = from === '' ? 'first' : 'later';
  return new SyncError('INTEGRITY', `a chunk of ${collection} (a ${at} range) is not what its manifest says: ${why}`);
}
