import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { assert } from '../../protocol/assert.ts';
import { agentLimits } from '../agent-limits.ts';
import { bringToSchema, pragma } from './replica-schema.ts';
import { ReplicaDamaged, translateStorageError } from './sqlite-errors.ts';

/**
 * Opens the replica file, durable: WAL and `synchronous=FULL`, read back on every open, because a reopened connection
 * may come up with less (H54). What is on disk after a commit survives a power cut.
 *
 * The replica is disposable: everything in it comes from feeds. So a file that is damaged, foreign or of a newer agent
 * is moved aside, never repaired, and the caller is told.
 */
export interface OpenedReplica {
  readonly db: DatabaseSync;
  /** null, or where the unusable file is now and why. */
  readonly movedAside: { readonly to: string; readonly reason: string } | null;
}

export function openReplicaFile(path: string, { now }: { now: number }): OpenedReplica {
  try {
    return { db: openLive(path), movedAside: null };
  } catch (error) {
    const known = translateStorageError(error);
    if (!(known instanceof ReplicaDamaged)) throw known;
    const to = moveAside(path, now);
    return { db: openLive(path), movedAside: { to, reason: known.message } };
  }
}

export function openLive(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false, timeout: 5_000 });
  try {
    assertSqliteVersion(db);
    db.exec('PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -24576');
    const walBytesMax = agentLimits.walPagesMax * 4096;
    db.exec(`PRAGMA wal_autocheckpoint = ${agentLimits.walPagesMax}; PRAGMA journal_size_limit = ${walBytesMax}`);
    // What was deleted is overwritten: an erased customer's name is in no free page of the file.
    db.exec('PRAGMA secure_delete = ON');
    assertDurable(db);
    bringToSchema(db, { indexes: true });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** For `status` and `records`: reads beside a running agent, changes nothing. null: there is no replica yet. */
export function openReadOnly(path: string): DatabaseSync | null {
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    db.prepare('SELECT count(*) FROM _feed').get();
    return db;
  } catch (error) {
    db.close();
    const known = translateStorageError(error);
    if (known instanceof ReplicaDamaged || (error as { errcode?: number }).errcode === 1) return null;
    throw known;
  }
}

/**
 * A shadow: fast and worthless until it is switched. Whatever was there is thrown away.
 * A small cache on purpose: keys come in order, so pages are not needed again, and SQLite sorts an index in runs of the
 * cache's size, which at 4 MB stay in the processor's cache (measured: half the time of 32 MB).
 */
export function openShadow(path: string): DatabaseSync {
  removeDatabase(path);
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  db.exec(
    'PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -4096; PRAGMA temp_store = FILE; PRAGMA threads = 2',
  );
  bringToSchema(db, { indexes: false });
  return db;
}

/** Puts a closed, verified shadow in place of a closed replica, durably. A crash leaves one or the other. */
export function putInPlace(shadow: string, live: string): void {
  syncPath(shadow);
  for (const suffix of ['-wal', '-shm']) rmSync(live + suffix, { force: true });
  renameSync(shadow, live);
  syncPath(dirname(live));
}

export function moveAside(path: string, now: number): string {
  const to = `${path}.damaged-${now}`;
  renameSync(path, to);
  for (const suffix of ['-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, to + suffix);
  return to;
}

export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** Windows cannot sync a folder and does not need it. */
export function syncPath(path: string): void {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR' || process.platform === 'win32') return;
    throw error;
  }
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function assertDurable(db: DatabaseSync): void {
  const journal = Object.values(db.prepare('PRAGMA journal_mode').get() ?? {})[0];
  assert(journal === 'wal', () => `the replica's journal is ${String(journal)}, not wal`);
  assert(pragma(db, 'synchronous') === 2, 'the replica does not sync to disk');
  assert(pragma(db, 'page_size') === 4096, 'the replica does not have pages of 4096 bytes');
  assert(pragma(db, 'foreign_keys') === 0, 'the replica has foreign keys switched on');
}

function assertSqliteVersion(db: DatabaseSync): void {
  const version = String(Object.values(db.prepare('SELECT sqlite_version()').get() ?? {})[0]);
  assert(
    versionNumber(version) >= versionNumber(agentLimits.sqliteVersionMin),
    `SQLite ${version} is older than ${agentLimits.sqliteVersionMin}`,
  );
}

function versionNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 1_000 + Number(part), 0);
}
