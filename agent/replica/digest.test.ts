import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../../codec/pack.ts';
import { contentText, digestText } from '../../protocol/manifest.ts';
import { type PutRow, pruneColumns } from '../../protocol/sections.ts';
import { BulkInsert } from './bulk-insert.ts';
import { contentDigest } from './content.ts';
import { RangeDigests, digestSql } from './digest.ts';
import { openLive } from './replica-file.ts';
import { Replica } from './replica.ts';
import { layoutOf } from './table-layout.ts';

let folder: string;
let replica: Replica;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'digest-'));
  replica = new Replica(openLive(join(folder, 'replica.sqlite')));
});
afterEach(() => {
  replica.close();
  rmSync(folder, { recursive: true });
});

const key = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_./%'.split('')), minLength: 1, maxLength: 8 });
const rowsArbitrary = fc
  .uniqueArray(
    fc.tuple(key, fc.integer({ min: 1, max: 2 ** 50 }), fc.option(fc.string({ maxLength: 5 })), fc.option(fc.string({ maxLength: 5 }))),
    {
      selector: ([own]) => own,
      maxLength: 60,
    },
  )
  .map((rows) => rows.sort(([a], [b]) => (a < b ? -1 : 1)) as PutRow[]);

it('SQL builds the digest that head office builds, for every range', () => {
  fc.assert(
    fc.property(rowsArbitrary, key, fc.option(key), (rows, from, to) => {
      replica.db.exec('DELETE FROM customer');
      new BulkInsert(replica.db).insertRows({ collection: 'customer', columns: ['mobile', 'email'] }, rows);
      const inside = rows.filter(([own]) => own >= from && (to === null || own < to));
      const digest = new RangeDigests(replica.db).of({ collection: 'customer', from, to });
      expect(digest).toEqual({ rows: inside.length, digest: sha256Hex(digestText(inside)), tombstones: 0 });
    }),
    { numRuns: 60 },
  );
});

it('the content digest is that of the rows as they travel, with columns this agent does not know', () => {
  const columns = ['mobile', 'email', 'zz_new'];
  const all = [...layoutOf('customer').columns, 'zz_new'];
  fc.assert(
    fc.property(rowsArbitrary, fc.integer({ min: 0, max: 9 }), (rows, number) => {
      replica.db.exec('DELETE FROM customer');
      const wide = rows.map((row, index) => [...row, index % 3 === 0 ? null : number] as PutRow);
      new BulkInsert(replica.db).insertRows({ collection: 'customer', columns }, wide);
      const aligned = wide.map(
        (row) =>
          [row[0], row[1], ...all.map((name) => (columns.includes(name) ? (row[columns.indexOf(name) + 2] ?? null) : null))] as PutRow,
      );
      const pruned = pruneColumns('customer', all, aligned);
      expect(contentDigest(replica.db, { collection: 'customer', from: '', to: null })).toBe(
        sha256Hex(contentText(pruned.columns, pruned.rows)),
      );
    }),
    { numRuns: 60 },
  );
});

it('reads ranges in key order without sorting', () => {
  for (const to of ['m', null]) {
    const plan = replica.db
      .prepare(`EXPLAIN QUERY PLAN ${digestSql('customer', to, false)}`)
      .all(...(to === null ? ['a'] : ['a', to]), 10)
      .map((row) => String(row['detail']))
      .join('\n');
    expect(plan).toContain('USING PRIMARY KEY');
    expect(plan).not.toMatch(/TEMP B-TREE/);
  }
});

it('takes a range larger than a slice in slices', () => {
  const rows = Array.from({ length: 120_001 }, (_, index) => [`k${String(index).padStart(7, '0')}`, index + 1] as unknown as PutRow);
  new BulkInsert(replica.db).insertRows({ collection: 'fraud_user', columns: [] }, rows);
  const digest = new RangeDigests(replica.db).of({ collection: 'fraud_user', from: '', to: null });
  expect(digest).toMatchObject({ rows: rows.length, digest: sha256Hex(digestText(rows)) });
});
