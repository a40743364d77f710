import type { DatabaseSync } from 'node:sqlite';
import { sha256Hex } from '../../codec/pack.ts';
import { contentText } from '../../protocol/manifest.ts';
import { type PutRow, type WireValue, pruneColumns } from '../../protocol/sections.ts';
import type { KeyRange } from './digest.ts';
import { layoutOf, rangeSql, rangeValues } from './table-layout.ts';

/**
 * The content hash of a key range: every value of every row, as `contentText` writes it. Ten times slower than a range
 * digest, so it is taken where a digest differed and for `verify --deep`. One range is in memory at a time.
 */
export function contentDigest(db: DatabaseSync, { collection, from, to }: KeyRange): string {
  const layout = layoutOf(collection);
  const columns = layout.columns.map((column) => `"${column}"`);
  const select = db.prepare(
    `SELECT ${['"key"', '"rev"', ...columns, '"extra"'].join(', ')} FROM "${collection}" WHERE ${rangeSql(to)} ORDER BY "key"`,
  );
  select.setReturnArrays(true);
  const stored = select.all(...rangeValues(from, to)) as unknown as WireValue[][];
  const extras = stored.map((row) => {
    const extra = row.pop() ?? null;
    return extra === null ? null : (JSON.parse(String(extra)) as Record<string, WireValue>);
  });
  const unknown = [...new Set(extras.flatMap((extra) => (extra === null ? [] : Object.keys(extra))))].sort();
  if (unknown.length > 0) {
    for (const [index, row] of stored.entries()) row.push(...unknown.map((name) => extras[index]?.[name] ?? null));
  }
  const pruned = pruneColumns(collection, [...layout.columns, ...unknown], stored as unknown as PutRow[]);
  return sha256Hex(contentText(pruned.columns, pruned.rows));
}
