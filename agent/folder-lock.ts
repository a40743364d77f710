import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SyncError } from '../protocol/sync-error.ts';
import { type DataPaths } from './data-folder.ts';

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
  } catch (error) {
    db.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) throw error;
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
  writeFileSync(paths.pid, `${process.pid}\n`, { mode: 0o600 });
  return {
    release() {
      rmSync(paths.pid, { force: true });
      db.close();
    },
  };
}

function readPid(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
