import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** The table and the fastest way known to fill it; both floors use it. Not durable: journal and sync are off. */
const TABLE =
  'CREATE TABLE c(id TEXT PRIMARY KEY NOT NULL, seq INTEGER, updated_at INTEGER, deleted INTEGER, phone TEXT, email TEXT, profile TEXT, loyalty TEXT) WITHOUT ROWID';
const INDEXES = 'CREATE INDEX c_phone ON c(phone); CREATE INDEX c_email ON c(email); CREATE INDEX c_seq ON c(seq)';
const ROWS = 50;
const WIDTH = 8;

export class FloorTable {
  readonly #file: string;
  readonly #db: DatabaseSync;
  readonly #many;
  readonly #one;

  constructor(file: string) {
    this.#file = file;
    rmSync(file, { force: true });
    this.#db = new DatabaseSync(file);
    this.#db.exec(
      'PRAGMA page_size=8192; PRAGMA journal_mode=off; PRAGMA synchronous=off; PRAGMA locking_mode=exclusive; PRAGMA cache_size=-32768; PRAGMA temp_store=file',
    );
    this.#db.exec(TABLE);
    const row = '(?,?,?,?,?,?,?,?)';
    this.#one = this.#db.prepare(`INSERT INTO c VALUES${row}`);
    this.#many = this.#db.prepare(`INSERT INTO c VALUES${Array.from({ length: ROWS }, () => row).join(',')}`);
  }

  put(rows: readonly (readonly (string | number)[])[]): void {
    this.#db.exec('BEGIN');
    const flat: (string | number)[] = Array.from({ length: ROWS * WIDTH }, () => 0);
    let at = 0;
    for (; at + ROWS <= rows.length; at += ROWS) {
      let slot = 0;
      for (let index = 0; index < ROWS; index += 1) {
        const row = rows[at + index] as readonly (string | number)[];
        for (let column = 0; column < WIDTH; column += 1) flat[slot++] = row[column] as string | number;
      }
      this.#many.run(...flat);
    }
    for (; at < rows.length; at += 1) this.#one.run(...(rows[at] as (string | number)[]));
    this.#db.exec('COMMIT');
  }

  /** Builds the three indexes, counts, and removes the file. */
  end(): number {
    this.#db.exec(INDEXES);
    const count = Number(this.#db.prepare('SELECT count(*) AS n FROM c').get()?.['n']);
    this.#db.close();
    return count;
  }

  remove(): void {
    rmSync(this.#file, { force: true });
  }
}
