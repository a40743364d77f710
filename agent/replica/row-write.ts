import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PutRow, WireValue } from '../../protocol/sections.ts';
import { layoutOf } from './table-layout.ts';

/**
 * Writes rows of a section into a live table with as few dirty pages, lookups and bound values as possible.
 *
 * An index is touched only if a column of it changed: what a delta costs is the pages it dirties, and a plain upsert
 * dirties one in every index (measured: 4 × slower). So the usual row, newer and with the same indexed values, is one
 * statement with one lookup. Any other row is looked at first and then written by a statement that names only the
 * indexed columns that differ. Rows bind as they travelled; columns the section does not name are `NULL` in the SQL.
 */
export class RowWrite {
  readonly #db: DatabaseSync;
  readonly #collection: string;
  readonly #values: ReadonlyMap<string, string>;
  readonly #indexed: readonly string[];
  /** Positions in a row of the columns this agent does not know, which go to `extra`. */
  readonly #unknown: readonly { readonly column: string; readonly index: number }[];
  readonly #unindexed: readonly string[];
  readonly #look: StatementSync;
  readonly #newer: StatementSync;
  readonly #insert: StatementSync;
  /** SQL that names the last value of a row even when no column does: SQLite counts parameters by the highest one. */
  readonly #anchor: string;
  /** By the indexed columns that differ, as a bit each. */
  readonly #updates = new Map<number, StatementSync>();
  /** Positions in a row of the indexed columns; 0: the section does not name it. */
  readonly #indexedSlots: readonly number[];

  constructor(db: DatabaseSync, { collection, columns }: { readonly collection: string; readonly columns: readonly string[] }) {
    const layout = layoutOf(collection);
    this.#db = db;
    this.#collection = collection;
    this.#indexed = layout.indexed;
    this.#unknown = columns.flatMap((column, at) => (layout.columns.includes(column) ? [] : [{ column, index: at + 2 }]));
    // SQL by column: a parameter numbered as the value stands in the row, `extra` after the last.
    this.#values = new Map([
      ['key', '?1'],
      ['rev', '?2'],
      ...layout.columns.map((column) => [column, columns.includes(column) ? `?${columns.indexOf(column) + 3}` : 'NULL'] as const),
      ['extra', this.#unknown.length === 0 ? 'NULL' : `?${columns.length + 3}`],
    ]);
    this.#indexedSlots = layout.indexed.map((column) => (columns.includes(column) ? columns.indexOf(column) + 2 : 0));
    this.#unindexed = [...this.#values.keys()].filter((column) => column !== 'key' && !layout.indexed.includes(column));
    const last = `?${columns.length + (this.#unknown.length === 0 ? 2 : 3)}`;
    this.#anchor = this.#unindexed.some((column) => this.#values.get(column) === last) ? '' : ` AND (${last} IS NULL OR TRUE)`;
    const same = layout.indexed.map((column) => ` AND "${column}" IS ${this.#values.get(column)}`);
    this.#newer = db.prepare(`${this.#updateSql(0)} AND "rev" < ?2${same.join('')}`);
    this.#look = db.prepare(
      `SELECT ${['rev', ...layout.indexed].map((column) => `"${column}"`).join(', ')} FROM "${collection}" WHERE "key" = ?`,
    );
    const names = [...this.#values.keys()].map((column) => `"${column}"`);
    this.#insert = db.prepare(`INSERT INTO "${collection}" (${names.join(', ')}) VALUES (${[...this.#values.values()].join(', ')})`);
  }

  /** Writes the row if it is there and older. */
  updateOlder(row: PutRow): 'updated' | 'kept' | 'absent' {
    const values = this.#bind(row);
    if (this.#newer.run(...values).changes !== 0) return 'updated';
    const own = this.#look.get(row[0]);
    if (own === undefined) return 'absent';
    if (Number(own['rev']) >= row[1]) return 'kept';
    this.#update(own, row, values);
    return 'updated';
  }

  /** Writes the row, which is there, whatever its `rev`. */
  update(row: PutRow): void {
    this.#update(this.#look.get(row[0]) ?? {}, row, this.#bind(row));
  }

  /** The caller knows that the key is new. */
  insert(row: PutRow): void {
    this.#insert.run(...this.#bind(row));
  }

  #update(own: Readonly<Record<string, unknown>>, row: PutRow, values: readonly WireValue[]): void {
    let changed = 0;
    for (const [bit, column] of this.#indexed.entries()) {
      const slot = this.#indexedSlots[bit] as number;
      if (own[column] !== (slot === 0 ? null : (row[slot] ?? null))) changed |= 1 << bit;
    }
    let statement = this.#updates.get(changed);
    if (statement === undefined) {
      statement = this.#db.prepare(this.#updateSql(changed));
      this.#updates.set(changed, statement);
    }
    statement.run(...values);
  }

  #updateSql(changed: number): string {
    const columns = [...this.#unindexed, ...this.#indexed.filter((_, bit) => (changed & (1 << bit)) !== 0)];
    return `UPDATE "${this.#collection}" SET ${columns.map((column) => `"${column}" = ${this.#values.get(column)}`).join(', ')} WHERE "key" = ?1${this.#anchor}`;
  }

  #bind(row: PutRow): readonly WireValue[] {
    if (this.#unknown.length === 0) return row;
    const extra = this.#unknown.filter(({ index }) => (row[index] ?? null) !== null).map(({ column, index }) => [column, row[index]]);
    return [...row, extra.length === 0 ? null : JSON.stringify(Object.fromEntries(extra))];
  }
}
