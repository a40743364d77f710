import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Block, type PutRow, type PutSection, type WireValue, blockRows } from '../../protocol/sections.ts';
import { agentLimits } from '../agent-limits.ts';
import { type TableLayout, layoutOf } from './table-layout.ts';

type SectionColumns = Pick<PutSection, 'collection' | 'columns'>;

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

  insertRows(section: SectionColumns, rows: readonly PutRow[]): void {
    const columns = section.columns.map((_, column) => rows.map((row) => row[column + 2] ?? null));
    this.insertBlock(section, { keys: rows.map((row) => row[0]), revs: rows.map((row) => row[1]), values: columns });
  }

  insertBlock(section: SectionColumns, block: Block): void {
    const layout = layoutOf(section.collection);
    if (section.columns.every((column) => layout.columns.includes(column))) {
      this.#run(section.collection, section.columns, block);
      return;
    }
    const bind = rowBinder(layout, section.columns);
    const columns = [...layout.columns, 'extra'];
    const rows = blockRows(block).map(bind);
    const values = columns.map((_, column) => rows.map((row) => row[column + 2] ?? null));
    this.#run(section.collection, columns, { ...block, values });
  }

  #run(table: string, columns: readonly string[], { keys, revs, values }: Block): void {
    const { many, one } = this.#statementsFor(table, columns);
    const all: readonly (readonly WireValue[])[] = [keys, revs, ...values];
    const width = all.length;
    const perInsert = agentLimits.rowsPerInsert;
    const flat: WireValue[] = Array.from({ length: width * perInsert }, () => null);
    let at = 0;
    for (; at + perInsert <= keys.length; at += perInsert) {
      // Column by column, as the block stands in memory.
      for (let column = 0; column < width; column += 1) {
        const source = all[column] as readonly WireValue[];
        for (let index = 0, slot = column; index < perInsert; index += 1, slot += width) flat[slot] = source[at + index] as WireValue;
      }
      many.run(...flat);
    }
    for (; at < keys.length; at += 1) one.run(...all.map((source) => source[at] as WireValue));
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
function rowBinder(layout: TableLayout, columns: readonly string[]): (row: PutRow) => WireValue[] {
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
