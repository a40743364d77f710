import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { WireValue } from '../../protocol/sections.ts';
import type { PutRow, PutSection } from '../../protocol/sections.ts';
import { agentLimits } from '../agent-limits.ts';
import { type TableLayout, layoutOf } from './table-layout.ts';

/**
 * Inserts rows of a section as fast as SQLite takes them: 50 rows a statement, one prepared statement per column set.
 *
 * The caller promises that the keys are new and come in order; a key that is there already fails the statement.
 * Rows go to SQL as they travelled unless the section has columns this agent does not know.
 */
export class BulkInsert {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, { many: StatementSync; one: StatementSync }>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  insert(section: Pick<PutSection, 'collection' | 'columns'>, rows: readonly PutRow[]): void {
    const layout = layoutOf(section.collection);
    const known = section.columns.every((column) => layout.columns.includes(column));
    if (known) {
      this.#run(section.collection, section.columns, rows);
      return;
    }
    const bind = rowBinder(layout, section.columns);
    this.#run(section.collection, [...layout.columns, 'extra'], rows.map(bind) as PutRow[]);
  }

  #run(table: string, columns: readonly string[], rows: readonly PutRow[]): void {
    const { many, one } = this.#statementsFor(table, columns);
    const width = columns.length + 2;
    const perInsert = agentLimits.rowsPerInsert;
    const flat: WireValue[] = Array.from({ length: width * perInsert }, () => null);
    let at = 0;
    for (; at + perInsert <= rows.length; at += perInsert) {
      let slot = 0;
      for (let index = 0; index < perInsert; index += 1) {
        const row = rows[at + index] as PutRow;
        for (let column = 0; column < width; column += 1) flat[slot++] = row[column] as WireValue;
      }
      many.run(...flat);
    }
    for (; at < rows.length; at += 1) one.run(...(rows[at] as PutRow));
  }

  #statementsFor(table: string, columns: readonly string[]): { many: StatementSync; one: StatementSync } {
    const names = ['key', 'rev', ...columns].map((name) => `"${name}"`).join(', ');
    const into = `INSERT INTO "${table}" (${names}) VALUES `;
    let statements = this.#statements.get(into);
    if (statements === undefined) {
      const row = `(${Array.from({ length: columns.length + 2 }, () => '?').join(', ')})`;
      const prepare = (rows: number) => this.#db.prepare(into + Array.from({ length: rows }, () => row).join(', '));
      statements = { many: prepare(agentLimits.rowsPerInsert), one: prepare(1) };
      this.#statements.set(into, statements);
    }
    return statements;
  }
}

/** From a row as it travelled to `[key, rev, …every column of the table, extra]`; absent columns are null. */
export function rowBinder(layout: TableLayout, columns: readonly string[]): (row: PutRow) => WireValue[] {
  const at = layout.columns.map((column) => columns.indexOf(column) + 2);
  const unknown = columns.flatMap((column, index) => (layout.columns.includes(column) ? [] : [{ column, index: index + 2 }]));
  return (row) => {
    const values: WireValue[] = [row[0], row[1]];
    for (const index of at) values.push(index < 2 ? null : (row[index] ?? null));
    const extra = unknown.flatMap(({ column, index }) => ((row[index] ?? null) === null ? [] : [[column, row[index]] as const]));
    values.push(extra.length === 0 ? null : JSON.stringify(Object.fromEntries(extra)));
    return values;
  };
}
