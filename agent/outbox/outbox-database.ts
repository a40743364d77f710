import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import { ReplicaDamaged, translateStorageError } from '../replica/sqlite-errors.ts';

/** The file behind an outbox: its tables, and statements that are prepared once. Every error is one that people know. */
const MIGRATIONS = [
  `CREATE TABLE entry (
     id INTEGER PRIMARY KEY,
     replica_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     op_id TEXT NOT NULL UNIQUE,
     collection TEXT NOT NULL,
     key TEXT NOT NULL,
     operation TEXT NOT NULL,
     status TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0,
     captured_at INTEGER NOT NULL,
     receipt TEXT,
     UNIQUE (replica_id, seq)
   ) STRICT;
   CREATE INDEX entry_record ON entry (collection, key, id);
   CREATE INDEX entry_status ON entry (status, id);
   CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`,
  // When its last receipt came: what is closed stays for a while from then on, not from its capture.
  `ALTER TABLE entry ADD COLUMN settled_at INTEGER;
   UPDATE entry SET settled_at = captured_at WHERE receipt IS NOT NULL;
   CREATE INDEX entry_settled ON entry (settled_at) WHERE settled_at IS NOT NULL;`,
  // What stands where, from the index alone: the entries of a month are 750 MB.
  `CREATE INDEX entry_standing ON entry (collection, status, captured_at);`,
];
/** "OUTB": no other database is taken for one. */
const APPLICATION_ID = 0x4f555442;

export type Row = Readonly<Record<string, SQLOutputValue>>;

export class OutboxDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#db = openDatabase(path);
  }

  close(): void {
    this.#db.close();
  }

  transaction<T>(run: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const result = run();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw translated(error);
    }
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  run(sql: string, ...values: (string | number)[]): void {
    this.#prepare(sql).run(...values);
  }

  get(sql: string, ...values: (string | number)[]) {
    return this.#prepare(sql).get(...values);
  }

  all(sql: string, ...values: (string | number)[]) {
    return this.#prepare(sql).all(...values);
  }
}

function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: agentLimits.outboxBusyMs });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    if (version > MIGRATIONS.length) throw new SyncError('OUTBOX_DAMAGED', 'the outbox is of a newer agent; update this one');
    if (version === MIGRATIONS.length) return db;
    db.exec('BEGIN IMMEDIATE');
    // Another process may have been faster.
    const now = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
    for (const migration of MIGRATIONS.slice(now)) db.exec(migration);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
    return db;
  } catch (error) {
    db.close();
    throw translated(error);
  }
}

/** Unsent writes are never moved aside or made anew by a program. */
function translated(error: unknown): unknown {
  const known = translateStorageError(error);
  return known instanceof ReplicaDamaged
    ? new SyncError('OUTBOX_DAMAGED', `the outbox cannot be read: ${known.message}`, { cause: error })
    : known;
}
