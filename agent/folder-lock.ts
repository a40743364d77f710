import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { type DataPaths } from './data-folder.ts';
import { translateStorageError } from './replica/sqlite-errors.ts';

/**
 * One agent process per data folder.
 *
 * The lock is the operating system's lock on a file (taken through SQLite, which does it the same way everywhere), so it
 * goes away with the process, also after `kill -9` or a power cut. Why not a file with a process id: after a crash
 * somebody has to decide whether it is stale, two processes may decide it at once, and process ids are used again.
 * The id stands beside the lock only to name the other process. The folder must be on a local disk.
 */
export interface FolderLock {
  release(): void;
}

const BUSY = 5;

export function lockFolder(paths: Pick<DataPaths, 'lock' | 'pid'>): FolderLock {
  const db = new DatabaseSync(paths.lock, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    // A page of its own, so that a later lock writes nothing: also with a full disk the agent comes up and says so.
    if (db.prepare('PRAGMA user_version').get()?.['user_version'] === 0) db.exec('PRAGMA user_version = 1; COMMIT');
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) throw translateStorageError(error);
    const other = readPid(paths.pid);
    throw new SyncError(
      'REPLICA_BUSY',
      `another agent works on this data folder${other === null ? '' : ` (process ${other})`}; stop it or wait for it`,
      {
        details: { pid: other },
      },
    );
  }
  chmodSync(paths.lock, 0o600);
  writePid(paths.pid);
  return {
    release() {
      rmSync(paths.pid, { force: true });
      db.close();
    },
  };
}

/** Only names this process to another one; a full disk is for those to report who have something to write. */
function writePid(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    if (!isSyncError(translateStorageError(error), 'STORAGE_FULL')) throw error;
  }
}

function readPid(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
