import { findCollection, valueFields } from '../../protocol/catalogue/catalogue.ts';
import type { Chunk } from '../../protocol/manifest.ts';
import { type PutRow, type PutSection, type Section, type TombstoneRow, pruneColumns } from '../../protocol/sections.ts';
import { type ChunkSizes, chunkStarts, isBoundary } from './chunk-boundaries.ts';
import { type FoldedRow, mergeRows, rowAligner } from './fold.ts';

/**
 * Decides which chunks of a collection a set of changes touches, and what the touched ones become.
 *
 * A group (see chunk boundaries) is rebuilt whole or left alone. Guarantees: the chunks after a compaction are the
 * same as those of a compaction from nothing with the same pages, as long as no tombstone was purged between.
 * Tombstones are purged when they are older than any late repeat can be, except at group boundaries, which stay so
 * that groups never merge.
 */
export interface Group {
  /** '' for the first. */
  readonly from: string;
  /** Chunks the group has now. */
  readonly chunks: readonly Chunk[];
  /** Changes that fall into it, in key order. Empty: the group is left alone. */
  readonly changes: readonly FoldedRow[];
}

export function groupChanges(chunks: readonly Chunk[], changes: readonly FoldedRow[], sizes: ChunkSizes): Group[] {
  const groups: { from: string; chunks: Chunk[]; changes: readonly FoldedRow[] }[] = [];
  for (const chunk of chunks) {
    const last = groups.at(-1);
    if (last === undefined || isBoundary(chunk.from, 0, sizes)) groups.push({ from: chunk.from, chunks: [chunk], changes: [] });
    else last.chunks.push(chunk);
  }
  if (groups.length === 0) groups.push({ from: '', chunks: [], changes: [] });
  let at = 0;
  for (const [index, group] of groups.entries()) {
    const to = groups[index + 1]?.from;
    const start = at;
    while (at < changes.length && (to === undefined || (changes[at] as FoldedRow).key < to)) at += 1;
    group.changes = changes.slice(start, at);
  }
  return groups;
}

export interface RebuildSettings {
  readonly sizes: ChunkSizes;
  /** A tombstone with a `rev` below this is purged. */
  readonly purgeBeforeRev: number;
  /** Tombstones to purge whatever their age, boundaries too. */
  readonly purge?: (key: string) => boolean;
}

export interface ChunkContent {
  readonly from: string;
  readonly sections: readonly Section[];
  readonly puts: PutSection;
  readonly tombstones: number;
}

/** The chunks a touched group becomes, from the rows of its present chunks and its changes. */
export function rebuildGroup(
  collection: string,
  group: { readonly from: string; readonly rows: readonly FoldedRow[]; readonly changes: readonly FoldedRow[] },
  { sizes, purgeBeforeRev, purge }: RebuildSettings,
): ChunkContent[] {
  const rows = mergeRows(group.rows, group.changes).filter(
    (folded) => folded.row !== null || (purge?.(folded.key) !== true && (folded.rev >= purgeBeforeRev || isBoundary(folded.key, 0, sizes))),
  );
  const starts = chunkStarts(
    rows.map((folded) => folded.key),
    sizes,
  );
  return starts.map((start, index) => {
    const part = rows.slice(start, starts[index + 1]);
    return chunkContent(collection, index === 0 ? group.from : (part[0] as FoldedRow).key, part);
  });
}

/** Folded rows as sections: live ones, then tombstones. */
export function rowSections(collection: string, rows: readonly FoldedRow[]): readonly Section[] {
  return chunkContent(collection, '', rows).sections;
}

function chunkContent(collection: string, from: string, rows: readonly FoldedRow[]): ChunkContent {
  const columns = columnsOf(collection, rows);
  const align = rowAligner(columns);
  const live: PutRow[] = [];
  const tombstones: TombstoneRow[] = [];
  for (const folded of rows) {
    if (folded.row === null) tombstones.push([folded.key, folded.rev]);
    else live.push(align(folded));
  }
  const puts = pruneColumns(collection, columns, live);
  const sections: Section[] = [];
  if (live.length > 0) sections.push(puts);
  if (tombstones.length > 0) sections.push({ kind: 'tombstones', collection, rows: tombstones });
  return { from, sections, puts, tombstones: tombstones.length };
}

/** The catalogue's columns, then any this version does not know, by name: content survives an older version in between. */
function columnsOf(collection: string, rows: readonly FoldedRow[]): string[] {
  const known = findCollection(collection);
  const columns = new Set(known === undefined ? [] : valueFields(known).map((field) => field.name));
  const seen = new Set<readonly string[]>();
  const unknown = new Set<string>();
  for (const { columns: own } of rows) {
    if (own === null || seen.has(own)) continue;
    seen.add(own);
    for (const name of own) if (!columns.has(name)) unknown.add(name);
  }
  return [...columns, ...[...unknown].sort()];
}

/** Rows of a stored chunk, in key order, as the fold keeps them. */
export function chunkRows(sections: readonly Section[]): FoldedRow[] {
  let rows: FoldedRow[] = [];
  for (const section of sections) {
    const own: FoldedRow[] =
      section.kind === 'puts'
        ? section.rows.map((row) => ({ key: row[0], rev: row[1], columns: section.columns, row }))
        : section.rows.map((row) => ({ key: row[0], rev: row[1], columns: null, row: null }));
    rows = rows.length === 0 ? own : mergeRows(rows, own);
  }
  return rows;
}
