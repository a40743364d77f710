/**
 * Who is signed in on this machine, for each head office: a file of this user's own. A session is read and replaced in one transaction, so
 * two commands at once cannot both use up the same refresh token, and one that is killed leaves no lock behind.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
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

/** A renewal asks the provider twice, 15 s each at most; whoever waits for it waits longer. */
const BUSY_MS = 45_000;

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

  read(office: string): Session | null {
    if (!existsSync(this.#file)) return null;
    using database = open(this.#file);
    return readFrom(database, office);
  }

  write(office: string, session: Session): void {
    using database = open(this.#file);
    writeTo(database, office, session);
  }

  /** What was there. */
  remove(office: string): Session | null {
    if (!existsSync(this.#file)) return null;
    using database = open(this.#file);
    const session = readFrom(database, office);
    database.prepare('DELETE FROM session WHERE office = ?').run(office);
    return session;
  }

  /** Nobody else replaces it meanwhile. What `change` throws leaves it as it was. */
  async replace(office: string, change: (session: Session | null) => Promise<Session>): Promise<Session> {
    using database = open(this.#file);
    try {
      database.exec('BEGIN IMMEDIATE');
    } catch (cause) {
      throw new SyncError('CONFLICT', 'another command has been renewing this sign-in for a long time; try again', { cause });
    }
    try {
      const session = await change(readFrom(database, office));
      writeTo(database, office, session);
      database.exec('COMMIT');
      return session;
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK');
    }
  }
}

function open(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Before anything is in it.
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  const database = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    database.exec('PRAGMA secure_delete = ON; CREATE TABLE IF NOT EXISTS session (office TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
    return database;
  } catch (cause) {
    database.close();
    throw new SyncError('NOT_READY', `${file} cannot be read; delete it, and sign in again`, { cause });
  }
}

function readFrom(database: DatabaseSync, office: string): Session | null {
  const row = database.prepare('SELECT body FROM session WHERE office = ?').get(office);
  const parsed = sessionSchema.safeParse(row === undefined ? null : parse(String(row['body'])));
  return parsed.success ? parsed.data : null;
}

/** What another version of this program wrote is no session. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function writeTo(database: DatabaseSync, office: string, session: Session): void {
  database.prepare('INSERT OR REPLACE INTO session (office, body) VALUES (?, ?)').run(office, JSON.stringify(session));
}
