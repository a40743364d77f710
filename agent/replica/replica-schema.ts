import type { DatabaseSync } from 'node:sqlite';
import { collections, findCollection } from '../../protocol/catalogue/catalogue.ts';
import { sha256Hex } from '../../codec/pack.ts';
import { ReplicaDamaged } from './sqlite-errors.ts';
import { columnDefinitions, createTableSql, indexStatements } from './table-layout.ts';

/**
 * The replica's tables: ours (`_…`) by version, collections by the catalogue.
 *
 * Ours move by `PRAGMA user_version`, one step a version. Tables of collections follow the catalogue: a column that is
 * new is added, and what an older agent kept of it in `extra` moves into it. All in one transaction, so a crash leaves
 * the old schema. A file of a newer agent is not ours: it is disposable, so it is moved aside and loaded again.
 */
export const APPLICATION_ID = 0x53_74_4c_6e;

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE _feed (
    feed TEXT NOT NULL PRIMARY KEY,
    component TEXT NOT NULL,
    scope TEXT NOT NULL,
    generation TEXT,
    position INTEGER,
    head INTEGER NOT NULL,
    head_generation TEXT NOT NULL,
    as_of TEXT,
    resync INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE _tombstone (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    rev INTEGER NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE _certificate (feed TEXT NOT NULL PRIMARY KEY, certificate TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE _carried (collection TEXT NOT NULL PRIMARY KEY, feed TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE _meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** `indexes: false`: for a bulk load, which makes them last. */
export function bringToSchema(db: DatabaseSync, { indexes }: { indexes: boolean }): void {
  const version = pragma(db, 'user_version');
  const applicationId = pragma(db, 'application_id');
  if (applicationId !== APPLICATION_ID && !(applicationId === 0 && version === 0 && tableNames(db).size === 0)) {
    throw new ReplicaDamaged('the replica file belongs to another program');
  }
  if (version > MIGRATIONS.length) throw new ReplicaDamaged(`the replica file is of a newer agent (schema ${version})`);
  if (version === MIGRATIONS.length && schemaMark(db) === currentMark()) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of MIGRATIONS.slice(version)) db.exec(migration);
    followCatalogue(db, indexes);
    if (indexes) markSchema(db);
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function followCatalogue(db: DatabaseSync, indexes: boolean): void {
  const present = tableNames(db);
  for (const collection of collections) {
    const { name } = collection;
    if (present.has(name)) addColumns(db, name);
    else db.exec(createTableSql(name));
    if (indexes) createIndexes(db, name);
  }
}

/** The file has every table, column and index of this catalogue, so that an open need not look. */
export function markSchema(db: DatabaseSync): void {
  db.prepare("INSERT OR REPLACE INTO _meta (name, value) VALUES ('schema', ?)").run(currentMark());
}

function schemaMark(db: DatabaseSync): unknown {
  return db.prepare("SELECT value FROM _meta WHERE name = 'schema'").get()?.['value'];
}

let mark: string | undefined;

function currentMark(): string {
  mark ??= sha256Hex(
    collections.flatMap(({ name }) => [createTableSql(name), ...indexStatements(name).map(({ create }) => create)]).join(';\n'),
  );
  return mark;
}

export function createIndexes(db: DatabaseSync, name: string): void {
  for (const { create } of indexStatements(name)) db.exec(create);
}

/** Before a large load into an empty table. Should the agent die before they are back, the next open makes them. */
export function dropIndexes(db: DatabaseSync, name: string): void {
  db.exec("DELETE FROM _meta WHERE name = 'schema'");
  for (const { index } of indexStatements(name)) db.exec(`DROP INDEX IF EXISTS "${index}"`);
}

function addColumns(db: DatabaseSync, name: string): void {
  const collection = findCollection(name);
  if (collection === undefined) return;
  const own = new Set(
    db
      .prepare('SELECT name FROM pragma_table_xinfo(?)')
      .all(name)
      .map((row) => row['name']),
  );
  for (const column of columnDefinitions(collection)) {
    if (own.has(column.name)) continue;
    db.exec(`ALTER TABLE "${name}" ADD COLUMN "${column.name}" ${column.definition}`);
    if (column.definition.includes('GENERATED')) continue;
    const path = `$."${column.name}"`;
    db.prepare(
      `UPDATE "${name}" SET "${column.name}" = extra ->> ?, extra = json_remove(extra, ?) WHERE json_type(extra, ?) IS NOT NULL`,
    ).run(path, path, path);
    db.exec(`UPDATE "${name}" SET extra = NULL WHERE extra = '{}'`);
  }
}

export function tableNames(db: DatabaseSync): Set<string> {
  return new Set(
    db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .all()
      .map((row) => String(row['name'])),
  );
}

export function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
