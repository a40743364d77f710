import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PutRow } from '../../protocol/sections.ts';
import { openLive } from './replica-file.ts';
import { RowWrite } from './row-write.ts';

let folder: string;
let file: string;
let db: DatabaseSync;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'row-'));
  file = join(folder, 'replica.sqlite');
  db = openLive(file);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const all = ['mobile', 'email', 'external_id', 'firstname'];
const writer = (columns: readonly string[] = all) => new RowWrite(db, { collection: 'customer', columns });

function held(): unknown {
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  return { ...db.prepare('SELECT rev, mobile, email, external_id, firstname, extra FROM customer').get() };
}

describe('RowWrite', () => {
  beforeEach(() => writer().insert(['a', 5, '1', 'x', null, 'Ann']));

  it('INV-07: writes only what is newer than the row, and says what it did', () => {
    expect(writer().updateOlder(['b', 5, '1', 'x', null, 'Ann'])).toBe('absent');
    expect(writer().updateOlder(['a', 5, '2', 'y', null, 'Bea'])).toBe('kept');
    expect(writer().updateOlder(['a', 4, '1', 'x', null, 'Bea'])).toBe('kept');
    expect(held()).toMatchObject({ rev: 5, mobile: '1', firstname: 'Ann' });
    expect(writer().updateOlder(['a', 6, '1', 'x', null, 'Bea'])).toBe('updated');
    expect(held()).toMatchObject({ rev: 6, mobile: '1', firstname: 'Bea' });
  });

  it.each<{ title: string; row: PutRow; is: object }>([
    { title: 'none of them', row: ['a', 6, '1', 'x', null, 'Bea'], is: { mobile: '1', email: 'x', external_id: null } },
    { title: 'one of them', row: ['a', 6, '1', 'y', null, 'Bea'], is: { mobile: '1', email: 'y', external_id: null } },
    { title: 'all of them', row: ['a', 6, '2', null, '7', 'Bea'], is: { mobile: '2', email: null, external_id: '7' } },
  ])('keeps indexes right when $title changed', ({ row, is }) => {
    expect(writer().updateOlder(row)).toBe('updated');
    expect(held()).toEqual({ rev: 6, ...is, firstname: 'Bea', extra: null });
  });

  it('a column the section does not name becomes null, an indexed one too', () => {
    expect(writer(['email']).updateOlder(['a', 6, 'x'])).toBe('updated');
    expect(held()).toEqual({ rev: 6, mobile: null, email: 'x', external_id: null, firstname: null, extra: null });
  });

  it('what this agent does not know goes to extra, and goes with the next row that has none of it', () => {
    const write = writer(['zz_new', 'mobile', 'email']);
    expect(write.updateOlder(['a', 6, 'new', '1', 'x'])).toBe('updated');
    expect(held()).toMatchObject({ rev: 6, mobile: '1', email: 'x', extra: '{"zz_new":"new"}' });
    expect(write.updateOlder(['a', 7, null, '1', 'x'])).toBe('updated');
    expect(held()).toMatchObject({ rev: 7, extra: null });
  });

  it('a reconcile may write an older rev', () => {
    writer().update(['a', 3, '2', 'x', null, 'Cleo']);
    expect(held()).toMatchObject({ rev: 3, mobile: '2', firstname: 'Cleo' });
  });

  it.each<{ changed: string; row: PutRow; pages: number }>([
    { changed: 'no index', row: ['a', 6, '1', 'x', null, 'Bea'], pages: 1 },
    { changed: 'one index', row: ['a', 6, '1', 'y', null, 'Bea'], pages: 2 },
  ])('dirties $pages pages when $changed changed', ({ row, pages }) => {
    const before = statSync(`${file}-wal`).size;
    writer().updateOlder(row);
    expect((statSync(`${file}-wal`).size - before) / (4_096 + 24)).toBe(pages);
  });
});
