import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import { openLive, openReplicaFile } from './replica-file.ts';
import { dropIndexes, pragma } from './replica-schema.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'replica-'));
  path = join(folder, 'replica.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the replica file', () => {
  it('is durable on every open, and has a table for every collection', () => {
    for (let open = 0; open < 2; open += 1) {
      const db = openLive(path);
      expect(pragma(db, 'synchronous')).toBe(2);
      const tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .all()
        .map((row) => row['name']);
      expect(tables).toEqual(expect.arrayContaining(collections.map(({ name }) => name)));
      db.close();
    }
  });

  it('has the key under its own name as well', () => {
    const db = openLive(path);
    db.exec("INSERT INTO customer (key, rev) VALUES ('c1', 7)");
    expect(db.prepare('SELECT user_id FROM customer').get()).toMatchObject({ user_id: 'c1' });
    db.close();
  });

  it('is moved aside when it is damaged, foreign or of a newer agent', () => {
    writeFileSync(path, 'this is no database, but it is long enough to be looked at'.repeat(100));
    const first = openReplicaFile(path, { now: 1 });
    expect(first.movedAside).toMatchObject({ to: `${path}.damaged-1` });
    first.db.exec('PRAGMA user_version = 99');
    first.db.close();
    const second = openReplicaFile(path, { now: 2 });
    expect(second.movedAside?.reason).toMatch(/newer agent/);
    second.db.close();
    rmSync(path);
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE sales (id)');
    foreign.close();
    const third = openReplicaFile(path, { now: 3 });
    expect(third.movedAside?.reason).toMatch(/another program/);
    third.db.close();
    expect(existsSync(`${path}.damaged-3`)).toBe(true);
  });

  it('gets its indexes back when the agent died in the middle of a large load', () => {
    const count = (db: DatabaseSync) =>
      db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'customer'").get()?.['n'];
    const db = openLive(path);
    const before = count(db);
    dropIndexes(db, 'customer');
    expect(count(db)).toBe(0);
    db.close();
    const again = openLive(path);
    expect(count(again)).toBe(before);
    again.close();
  });

  it('moves what an older agent kept aside into the column once it knows it', () => {
    const db = openLive(path);
    db.exec(`ALTER TABLE fraud_user RENAME TO gone; CREATE TABLE fraud_user (key TEXT NOT NULL PRIMARY KEY, rev INTEGER NOT NULL, extra TEXT) STRICT, WITHOUT ROWID;
      INSERT INTO fraud_user VALUES ('c1', 3, '{"status":"CONFIRMED","zz":1}'), ('c2', 4, '{"status":"INTERNAL"}'), ('c3', 5, NULL);
      DELETE FROM _meta WHERE name = 'schema'`);
    db.close();
    const again = openLive(path);
    const rows = again
      .prepare('SELECT key, status, extra FROM fraud_user ORDER BY key')
      .all()
      .map((row) => ({ ...row }));
    expect(rows).toEqual([
      { key: 'c1', status: 'CONFIRMED', extra: '{"zz":1}' },
      { key: 'c2', status: 'INTERNAL', extra: null },
      { key: 'c3', status: null, extra: null },
    ]);
    again.close();
  });
});
