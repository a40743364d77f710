import type { FeedName } from '../../protocol/feed.ts';
import { type PutRow, type WireValue, blockRows } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { differs } from '../../core/reconcile/plan-ranges.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { ChunkContent, ChunkPuts } from './chunk-content.ts';
import { contentDigest } from './content.ts';
import { type KeyRange, RangeDigests } from './digest.ts';
import type { Replica } from './replica.ts';
import { RowWrite } from './row-write.ts';
import { rangeSql, rangeValues } from './table-layout.ts';

/**
 * Makes one key range of a live replica what a chunk says, in one transaction: keys the chunk does not have go, the
 * rest is taken as the truth, tombstones too. The manifest is at or past the cursor, so nothing newer is undone.
 *
 * Rows whose `rev` is the same are left alone. Before it commits, the range's digest and content are compared with the
 * manifest's; if the content differs although the digests are equal (a value was changed in place), every row of the
 * range is written again. Readers see the range as it was or as it should be, never between.
 */
/** Rows written or removed. */
export function replaceRange(replica: Replica, feed: FeedName, content: ChunkContent): number {
  const { range } = content;
  const puts = content.puts === null ? null : { ...content.puts, rows: [...content.puts.blocks].flatMap(blockRows) };
  const { collection, chunk } = range;
  return replica.transaction(() => {
    replica.ensureTable(collection, feed);
    const { wasEmpty, changes } = mergeRows(replica, range, puts);
    replaceTombstones(replica, range, content.tombstones);
    if (differs(chunk, new RangeDigests(replica.db).of(range)))
      throw new SyncError('INTEGRITY', `a range of ${collection} differs after it was replaced`);
    if (wasEmpty || contentDigest(replica.db, range) === chunk.content) return changes;
    rewriteRange(replica, range, puts);
    if (contentDigest(replica.db, range) !== chunk.content)
      throw new SyncError('INTEGRITY', `a range of ${collection} differs after it was written again`);
    return Math.max(changes, chunk.rows);
  });
}

type RangeRows = Pick<ChunkPuts, 'collection' | 'columns'> & { readonly rows: readonly PutRow[] };

function mergeRows(replica: Replica, range: KeyRange, puts: RangeRows | null): { wasEmpty: boolean; changes: number } {
  const { collection, from, to } = range;
  const rows = puts?.rows ?? [];
  const merge = mergeKeys(
    replica.db.prepare(`SELECT "key", "rev" FROM "${collection}" WHERE ${rangeSql(to)} ORDER BY "key"`).iterate(...rangeValues(from, to)),
    rows,
  );
  const remove = replica.prepare(`DELETE FROM "${collection}" WHERE "key" >= ? AND "key" <= ?`);
  let changes = merge.changed.length + merge.missing.length;
  for (const [first, last] of merge.gone) changes += Number(remove.run(first, last).changes);
  if (puts !== null && merge.changed.length > 0) {
    const write = new RowWrite(replica.db, puts);
    for (const row of merge.changed) write.update(row);
  }
  if (puts !== null && merge.missing.length > 0) new BulkInsert(replica.db).insertRows(puts, merge.missing);
  return { wasEmpty: merge.empty, changes };
}

interface KeyMerge {
  readonly empty: boolean;
  /** Runs of own keys that the chunk does not have, first and last; so it is small whatever the range holds. */
  readonly gone: (readonly [string, string])[];
  readonly changed: PutRow[];
  readonly missing: PutRow[];
}

function mergeKeys(own: Iterable<Record<string, unknown>>, rows: readonly PutRow[]): KeyMerge {
  const gone: [string, string][] = [];
  const changed: PutRow[] = [];
  const missing: PutRow[] = [];
  let at = 0;
  let run: [string, string] | null = null;
  let empty = true;
  for (const { key, rev } of own as Iterable<{ key: string; rev: number }>) {
    empty = false;
    while (at < rows.length && (rows[at] as PutRow)[0] < key) {
      missing.push(rows[at++] as PutRow);
      run = null;
    }
    const row = rows[at];
    if (row?.[0] === key) {
      if (row[1] !== rev) changed.push(row);
      at += 1;
      run = null;
    } else if (run === null) {
      run = [key, key];
      gone.push(run);
    } else run[1] = key;
  }
  for (const row of rows.slice(at)) missing.push(row);
  return { empty, gone, changed, missing };
}

function rewriteRange(replica: Replica, { collection, from, to }: KeyRange, puts: RangeRows | null): void {
  replica.db.prepare(`DELETE FROM "${collection}" WHERE ${rangeSql(to)}`).run(...rangeValues(from, to));
  if (puts !== null) new BulkInsert(replica.db).insertRows(puts, puts.rows);
}

function replaceTombstones(replica: Replica, { collection, from, to }: KeyRange, tombstones: ChunkContent['tombstones']): void {
  replica.db.prepare(`DELETE FROM _tombstone WHERE collection = ? AND ${rangeSql(to)}`).run(collection, ...rangeValues(from, to));
  insertTombstones(replica, collection, tombstones);
}

export function insertTombstones(replica: Replica, collection: string, tombstones: readonly (readonly [string, number])[]): void {
  const insert = replica.prepare('INSERT INTO _tombstone (collection, key, rev) VALUES (?, ?, ?)');
  for (const [key, rev] of tombstones) insert.run(...([collection, key, rev] satisfies WireValue[]));
}
