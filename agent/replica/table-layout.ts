import { assert } from '../../protocol/assert.ts';
import { findCollection, valueFields } from '../../protocol/catalogue/catalogue.ts';
import type { Collection, FieldType } from '../../protocol/catalogue/types.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * How a collection lies in the replica, from the catalogue: `key`, `rev`, one typed column per value field, `extra`.
 *
 * `extra` is a JSON object of columns this agent does not know; a collection it does not know is a table in which
 * everything stands in `extra`. So an older agent keeps syncing through a change of the catalogue, and digests stay
 * right. Why not an index on `rev`: it makes a delta four times slower, and digests go by key.
 */
export interface TableLayout {
  readonly name: string;
  /** Value columns in catalogue order: what travels. */
  readonly columns: readonly string[];
  /** Value columns that stand in a secondary index. */
  readonly indexed: readonly string[];
}

const RESERVED = new Set(['rev', 'extra']);
const layouts = new Map<string, TableLayout>();

export function layoutOf(name: string): TableLayout {
  const cached = layouts.get(name);
  if (cached !== undefined) return cached;
  const collection = findCollection(name);
  if (collection === undefined && !/^[a-z][a-z0-9_]{0,62}$/.test(name))
    throw new SyncError('INTEGRITY', 'a collection has a name that is none');
  const columns = collection === undefined ? [] : valueFields(collection).map((field) => field.name);
  const inIndexes = new Set(collection?.indexes.flat() ?? []);
  const layout: TableLayout = { name, columns, indexed: columns.filter((column) => inIndexes.has(column)) };
  layouts.set(name, layout);
  return layout;
}

/** Statements that make the table of a collection; indexes apart, because a bulk load makes them last. */
export function createTableSql(name: string): string {
  const collection = findCollection(name);
  const lines = ['"key" TEXT NOT NULL PRIMARY KEY', '"rev" INTEGER NOT NULL'];
  if (collection !== undefined) {
    for (const column of columnDefinitions(collection)) lines.push(`"${column.name}" ${column.definition}`);
  }
  lines.push('"extra" TEXT');
  return `CREATE TABLE IF NOT EXISTS "${name}" (\n  ${lines.join(',\n  ')}\n) STRICT, WITHOUT ROWID`;
}

export function columnDefinitions(collection: Collection): { name: string; definition: string }[] {
  const [keyField] = collection.key;
  const single = collection.key.length === 1 && keyField !== 'key' ? keyField : undefined;
  const generated = single === undefined ? [] : [{ name: single, definition: 'TEXT GENERATED ALWAYS AS ("key") VIRTUAL' }];
  const values = valueFields(collection).map((field) => ({ name: field.name, definition: sqlType(field.type) }));
  for (const { name } of [...generated, ...values])
    assert(!RESERVED.has(name), `${collection.name}.${name}: a name the replica needs itself`);
  return [...generated, ...values];
}

function sqlType(type: FieldType): 'TEXT' | 'INTEGER' {
  return type.kind === 'integer' || type.kind === 'boolean' ? 'INTEGER' : 'TEXT';
}

export function indexStatements(name: string): { index: string; create: string }[] {
  const collection = findCollection(name);
  return (collection?.indexes ?? []).map((columns) => {
    const index = `${name}__${columns.join('__')}`;
    return { index, create: `CREATE INDEX IF NOT EXISTS "${index}" ON "${name}" (${columns.map((column) => `"${column}"`).join(', ')})` };
  });
}

/** SQL of the range [from, to): `''` and null are open ends. Bind with `rangeValues`. */
export function rangeSql(to: string | null): string {
  return to === null ? '"key" >= ?' : '"key" >= ? AND "key" < ?';
}

export function rangeValues(from: string, to: string | null): string[] {
  return to === null ? [from] : [from, to];
}
