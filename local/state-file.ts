/**
 * What the local stack itself must remember: how far every stream was processed, and which workflows run. Also the lock on its folder: the
 * SQLite file stays exclusively locked while the stack runs, and the operating system lets go of it however the
 * process ends, so there is no stale lock to clean up.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { SyncError } from '../protocol/sync-error.ts';

export interface Checkpoint {
  /** Everything up to and including this is processed; null: nothing yet. */
  readonly sequenceNumber: string | null;
  /** The shard is closed and processed to its end. */
  readonly finished: boolean;
}

export interface Execution {
  readonly arn: string;
  readonly machineArn: string;
  readonly name: string;
  /** JSON text as it was given. */
  readonly input: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly cause: string | null;
}

/** As long as the service remembers an execution that is over, and refuses its name. */
const EXECUTION_LIFE_MS = 90 * 86_400_000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS checkpoints (stream TEXT, shard TEXT, sequence TEXT, finished INTEGER, PRIMARY KEY (stream, shard)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS executions (number INTEGER PRIMARY KEY, arn TEXT UNIQUE, endedAt INTEGER, json TEXT);
  CREATE TABLE IF NOT EXISTS execution_events (number INTEGER PRIMARY KEY, arn TEXT, json TEXT);
  CREATE INDEX IF NOT EXISTS execution_events_of ON execution_events (arn);
`;

export class StateFile {
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    this.#database = openLocked(folder);
    this.#database.exec(TABLES);
    this.#forgetOldExecutions(Date.now() - EXECUTION_LIFE_MS);
    writeFileSync(pidFile(folder), `${process.pid}\n`);
  }

  checkpoint(stream: string, shard: string): Checkpoint {
    const row = this.#database.prepare('SELECT sequence, finished FROM checkpoints WHERE stream = ? AND shard = ?').get(stream, shard);
    return { sequenceNumber: (row?.['sequence'] as string | null | undefined) ?? null, finished: row?.['finished'] === 1 };
  }

  saveCheckpoint(stream: string, shard: string, { sequenceNumber, finished }: Checkpoint): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO checkpoints (stream, shard, sequence, finished) VALUES (?, ?, ?, ?)')
      .run(stream, shard, sequenceNumber, finished ? 1 : 0);
  }

  execution(arn: string): Execution | null {
    const row = this.#database.prepare('SELECT json FROM executions WHERE arn = ?').get(arn);
    return row === undefined ? null : (JSON.parse(String(row['json'])) as Execution);
  }

  /** In the order they were started. */
  executions(): Execution[] {
    const rows = this.#database.prepare('SELECT json FROM executions ORDER BY number').all();
    return rows.map((row) => JSON.parse(String(row['json'])) as Execution);
  }

  saveExecution(execution: Execution): void {
    this.#database
      .prepare(
        'INSERT INTO executions (arn, endedAt, json) VALUES (?, ?, ?) ON CONFLICT (arn) DO UPDATE SET endedAt = excluded.endedAt, json = excluded.json',
      )
      .run(execution.arn, execution.endedAt, JSON.stringify(execution));
  }

  /** JSON text of each event, in their order. */
  executionEvents(arn: string): string[] {
    const rows = this.#database.prepare('SELECT json FROM execution_events WHERE arn = ? ORDER BY number').all(arn);
    return rows.map((row) => String(row['json']));
  }

  addExecutionEvent(arn: string, json: string): void {
    this.#database.prepare('INSERT INTO execution_events (arn, json) VALUES (?, ?)').run(arn, json);
  }

  clearExecutionEvents(arn: string): void {
    this.#database.prepare('DELETE FROM execution_events WHERE arn = ?').run(arn);
  }

  close(): void {
    this.#database.close();
  }

  #forgetOldExecutions(before: number): void {
    this.#database.prepare('DELETE FROM execution_events WHERE arn IN (SELECT arn FROM executions WHERE endedAt < ?)').run(before);
    this.#database.prepare('DELETE FROM executions WHERE endedAt < ?').run(before);
  }
}

function openLocked(folder: string): DatabaseSync {
  try {
    const database = new DatabaseSync(join(folder, 'stack.sqlite'), { timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; BEGIN EXCLUSIVE; COMMIT');
    return database;
  } catch (error) {
    const message = (error as Error).message;
    if (/locked|busy/i.test(message)) {
      throw new SyncError(
        'LOCAL_STACK',
        `another local stack (process ${readPid(folder)}) runs on ${folder}. Stop it, or give another --dir.`,
        {
          cause: error,
        },
      );
    }
    if (/full/i.test(message)) throw new SyncError('STORAGE_FULL', `the disk of ${folder} is full: ${message}`, { cause: error });
    throw new SyncError('LOCAL_STACK', `${join(folder, 'stack.sqlite')} cannot be opened: ${message}`, { cause: error });
  }
}

function pidFile(folder: string): string {
  return join(folder, 'stack.pid');
}

function readPid(folder: string): string {
  try {
    return readFileSync(pidFile(folder), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
