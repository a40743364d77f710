/**
 * Who is signed in on this machine, for each head office: a file of this user's own. A session is read and replaced in one transaction, so
 * two commands at once cannot both use up the same refresh token, and one that is killed leaves no lock behind.
 */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import * as z from 'zod';
import { SyncError } from '../../protocol/sync-error.ts';

const sessionSchema = z.strictObject({
  issuer: z.string(),
  clientId: z.string(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  /** When the access token runs out, ms since 1970 by this machine's clock. */
  expiresAt: z.int(),
  name: z.string(),
  subject: z.string(),
  signedInAt: z.string(),
});
export type Session = z.infer<typeof sessionSchema>;

/** A renewal asks the provider three times (what it is, the token, its keys), 15 s each at most; whoever waits for it waits longer. */
const BUSY_MS = 60_000;

/** Where this user's settings are, by the custom of the system. */
export function sessionsFile(env: NodeJS.ProcessEnv): string {
  const settings = env['XDG_CONFIG_HOME'] ?? (process.platform === 'win32' ? env['APPDATA'] : undefined);
  return join(settings === undefined || settings === '' ? join(homedir(), '.config') : settings, 'storeline', 'sessions.db');
}

export class Sessions {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** null: nobody signed in. What cannot be read is an error and not nobody (INV-58). */
  read(office: string): Session | null {
    return this.#isThere() ? this.#in((database) => readFrom(database, office)) : null;
  }

  write(office: string, session: Session): void {
    this.#in((database) => writeTo(database, office, session));
  }

  /** What was there; `UNREADABLE`: something was, and it is gone all the same. */
  remove(office: string): Session | 'UNREADABLE' | null {
    if (!this.#isThere()) return null;
    return this.#in((database) => {
      const row = database.prepare('DELETE FROM session WHERE office = ? RETURNING body').get(office);
      return row === undefined ? null : (parse(row) ?? 'UNREADABLE');
    });
  }

  /** Nobody else replaces it meanwhile. What `change` throws leaves it as it was. */
  async replace(office: string, change: (session: Session | null) => Promise<Session>): Promise<Session> {
    using database = open(this.#file);
    orBusy(() => database.exec('BEGIN IMMEDIATE'));
    try {
      const session = await change(readFrom(database, office));
      writeTo(database, office, session);
      database.exec('COMMIT');
      return session;
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  }

  #isThere(): boolean {
    return onDisk(this.#file, () => statSync(this.#file, { throwIfNoEntry: false }) !== undefined);
  }

  #in<T>(run: (database: DatabaseSync) => T): T {
    using database = open(this.#file);
    return orBusy(() => run(database));
  }
}

function open(file: string): DatabaseSync {
  onDisk(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Before anything is in it.
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  });
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    database.exec('PRAGMA secure_delete = ON; CREATE TABLE IF NOT EXISTS session (office TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
    return database;
  } catch (cause) {
    database.close();
    throw new SyncError('NOT_READY', `${file} cannot be read; delete it, and sign in again`, { cause });
  }
}

function onDisk<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const why = (cause as Error).message;
    throw new SyncError('NOT_READY', `who signed in stands in ${file}, which has to be this user's own to read and write: ${why}`, {
      cause,
    });
  }
}

const SQLITE_BUSY = 5;

function orBusy<T>(run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
    throw new SyncError('UNAVAILABLE', 'another command has been renewing a sign-in for a long time; try again', { cause });
  }
}

function readFrom(database: DatabaseSync, office: string): Session | null {
  const row = database.prepare('SELECT body FROM session WHERE office = ?').get(office);
  if (row === undefined) return null;
  const session = parse(row);
  if (session === null)
    throw new SyncError('UNAUTHORIZED', 'who signed in was written by another version of this program; `storeline sign-in` again');
  return session;
}

function parse({ body }: Record<string, SQLOutputValue>): Session | null {
  try {
    return sessionSchema.parse(JSON.parse(String(body)));
  } catch {
    return null;
  }
}

function writeTo(database: DatabaseSync, office: string, session: Session): void {
  database.prepare('INSERT OR REPLACE INTO session (office, body) VALUES (?, ?)').run(office, JSON.stringify(session));
}
