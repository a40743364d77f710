import { chmodSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ReplicaDamaged, translateStorageError } from '../replica/sqlite-errors.ts';
import { type LookupResponse, lookupResponseSchema } from '../../protocol/messages/lookup.ts';

/**
 * Customers that were looked up, for as long as head office allows, in a file of their own: the replica holds exactly
 * what the feeds say, and its digests prove it. What has expired is deleted, and overwritten, whenever the file is opened.
 */
export interface Pinned {
  readonly customer: LookupResponse;
  /** Milliseconds. */
  readonly pinnedAt: number;
}

export class PinnedFile {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** One that is damaged is begun again: it holds only what can be asked for once more. */
  static open(path: string, now: number): PinnedFile {
    try {
      return PinnedFile.#open(path, now);
    } catch (error) {
      if (!(translateStorageError(error) instanceof ReplicaDamaged)) throw translateStorageError(error);
      rmSync(path, { force: true });
      return PinnedFile.#open(path, now);
    }
  }

  static #open(path: string, now: number): PinnedFile {
    const db = new DatabaseSync(path, { timeout: 5_000 });
    chmodSync(path, 0o600);
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON');
    db.exec(`
      CREATE TABLE IF NOT EXISTS pinned (user_id TEXT PRIMARY KEY, answer TEXT NOT NULL, pinned_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS asked (by TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES pinned ON DELETE CASCADE) STRICT;
    `);
    db.prepare('DELETE FROM pinned WHERE expires_at <= ?').run(now);
    return new PinnedFile(db);
  }

  /** `by`: what was asked, so that the same question finds it again. */
  pin(by: string, answer: LookupResponse, now: number): void {
    const userId = String(answer.customer['user_id']);
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#db
        .prepare(
          'INSERT INTO pinned VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET answer = excluded.answer, pinned_at = excluded.pinned_at, expires_at = excluded.expires_at',
        )
        .run(userId, JSON.stringify(answer), now, Date.parse(answer.expiresAt) - Date.parse(answer.serverTime) + now);
      this.#db.prepare('INSERT INTO asked VALUES (?1, ?2) ON CONFLICT DO UPDATE SET user_id = excluded.user_id').run(by, userId);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** By what was asked, or by the customer's id. */
  find(by: string): Pinned | null {
    const row = this.#db
      .prepare('SELECT answer, pinned_at FROM pinned WHERE user_id = ?1 OR user_id = (SELECT user_id FROM asked WHERE by = ?1)')
      .get(by);
    if (row === undefined) return null;
    return { customer: lookupResponseSchema.parse(JSON.parse(String(row['answer']))), pinnedAt: Number(row['pinned_at']) };
  }

  /** Head office knows the customer no more. */
  forget(by: string): void {
    this.#db.prepare('DELETE FROM pinned WHERE user_id = ?1 OR user_id = (SELECT user_id FROM asked WHERE by = ?1)').run(by);
  }

  close(): void {
    this.#db.close();
  }
}
