import { SyncError } from '../../protocol/sync-error.ts';

/**
 * Turns what SQLite and the file system throw into the errors people know. A full disk is `STORAGE_FULL`; a damaged
 * file is `ReplicaDamaged`, which the agent answers by moving the file aside and loading again. Everything else is a
 * bug or a broken machine and passes as it is.
 */
const FULL = 13;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;
const BUSY = 5;
/** SQLITE_IOERR_WRITE and SQLITE_IOERR_SHMSIZE come from a full disk as well, depending on the file system. */
const FULL_IO_ERRORS = new Set([778, 4874]);

export class ReplicaDamaged extends Error {
  override name = 'ReplicaDamaged';
}

export function translateStorageError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return storageFull(error);
  if (typeof errcode !== 'number') return error;
  const primary = errcode & 0xff;
  if (primary === FULL || FULL_IO_ERRORS.has(errcode)) return storageFull(error);
  if (primary === CORRUPT || primary === NOT_A_DATABASE)
    return new ReplicaDamaged(`the replica file is damaged: ${error.message}`, { cause: error });
  if (primary === BUSY)
    return new SyncError('REPLICA_BUSY', 'another program holds the replica file; close it and try again', { cause: error });
  return error;
}

export function withStorageErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw translateStorageError(error);
  }
}

function storageFull(cause: Error): SyncError {
  return new SyncError('STORAGE_FULL', 'the disk is full; nothing was half-written; free space and start again', { cause });
}
