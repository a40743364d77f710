import { existsSync } from 'node:fs';
import { OPEN_STATUSES, WAITING_STATUSES } from '../../protocol/operation.ts';
import { OutboxDatabase } from './outbox-database.ts';

const NOT_CLOSED = JSON.stringify([...WAITING_STATUSES, ...OPEN_STATUSES]);

/** Whose an outbox is and how much of it nobody has closed, before another replica goes on with it. null: there is none. */
export function unclosed(path: string): { readonly replicaId: string | undefined; readonly count: number } | null {
  if (!existsSync(path)) return null;
  const db = new OutboxDatabase(path);
  try {
    const rows = db.get('SELECT count(*) AS n FROM entry WHERE status IN (SELECT value FROM json_each(?))', NOT_CLOSED);
    const replica = db.get("SELECT value FROM meta WHERE name = 'replica'");
    return { replicaId: replica?.['value']?.toString(), count: Number(rows?.['n']) };
  } finally {
    db.close();
  }
}
