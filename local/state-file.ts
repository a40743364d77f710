/**
 * What the local stack itself must remember: how far every stream was processed. Also the lock on its folder: the
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

export class StateFile {
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    this.#database = openLocked(folder);
    this.#database.exec(
      'CREATE TABLE IF NOT EXISTS checkpoints (stream TEXT, shard TEXT, sequence TEXT, finished INTEGER, PRIMARY KEY (stream, shard)) WITHOUT ROWID',
    );
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

  close(): void {
    this.#database.close();
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
