import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type SourceRow, readRows } from './read-rows.ts';

/** Files as they really come. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-rows-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function rowsOf(name: string, content: string | Uint8Array): Promise<SourceRow[]> {
  const file = join(dir, name);
  writeFileSync(file, content);
  return Array.fromAsync(readRows({ file, table: 'rows' }));
}

test('a table of a SQLite file, with large numbers whole, nothing for NULL, and a row with bytes rejected', async () => {
  const file = join(dir, 'old.sqlite');
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE "old bills" (id INTEGER, name TEXT, amount REAL, note TEXT, picture BLOB);
    INSERT INTO "old bills" VALUES (9007199254740993, 'Ann', 12.5, NULL, NULL), (2, 'Bob', 1, 'x', x'00ff')`);
  db.close();
  const rows = await Array.fromAsync(readRows({ file, table: 'old bills' }));
  expect(rows).toEqual([
    { number: 1, values: { id: '9007199254740993', name: 'Ann', amount: '12.5', note: '', picture: '' } },
    { number: 2, values: null, reason: 'column picture holds bytes', raw: ['id', 'name', 'amount', 'note', 'picture'] },
  ]);
  await expect(Array.fromAsync(readRows({ file, table: 'bill' }))).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringMatching(/has no table "bill"; name one with --table: old bills/) as string,
  });
  await expect(rowsOf('no.sqlite', 'not a database at all'.repeat(50))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('byte order mark, quotes, line breaks within cells, CR LF and empty lines', async () => {
  expect(await rowsOf('a.csv', '\uFEFFid,"na me"\r\n1,"two\nlines, ""quoted"""\r\n\r\n2,\r\n')).toEqual([
    { number: 1, values: { id: '1', 'na me': 'two\nlines, "quoted"' } },
    { number: 2, values: { id: '2', 'na me': '' } },
  ]);
});

test('a row with another number of cells is a reject with its cells, and reading goes on', async () => {
  expect(await rowsOf('a.csv', 'a,b\n1\n1,2,3\n1,2\n')).toEqual([
    { number: 1, values: null, reason: 'has 1 cells and the header has 2', raw: ['1'] },
    { number: 2, values: null, reason: 'has 3 cells and the header has 2', raw: ['1', '2', '3'] },
    { number: 3, values: { a: '1', b: '2' } },
  ]);
});

test('characters of another encoding are a reject and not a question mark in main data', async () => {
  const latin1 = Buffer.from('name\nZoë\nZoe\n', 'latin1');
  expect(await rowsOf('a.csv', latin1)).toMatchObject([{ values: null, reason: /UTF-8/ }, { values: { name: 'Zoe' } }].map(loose));
  const lines = Buffer.from('{"name":"Zoë"}\n', 'latin1');
  expect(await rowsOf('a.ndjson', lines)).toMatchObject([{ values: null, reason: /UTF-8/ }].map(loose));
});

function loose(row: { values: unknown; reason?: RegExp }): object {
  return row.reason === undefined ? row : { ...row, reason: expect.stringMatching(row.reason) as unknown };
}

test('NDJSON: lines that are no object are rejects with the line', async () => {
  expect(await rowsOf('a.ndjson', '\uFEFF{"a":1}\n\n{"a":\n[1]\n"x"\nnull\n{"a":{"b":null}}')).toEqual([
    { number: 1, values: { a: 1 } },
    { number: 2, values: null, reason: 'is not JSON', raw: '{"a":' },
    { number: 3, values: null, reason: 'is not a JSON object', raw: '[1]' },
    { number: 4, values: null, reason: 'is not a JSON object', raw: '"x"' },
    { number: 5, values: null, reason: 'is not a JSON object', raw: 'null' },
    { number: 6, values: { a: { b: null } } },
  ]);
});

test('files that cannot be read at all', async () => {
  await expect(Array.fromAsync(readRows({ file: join(dir, 'nowhere.csv'), table: 'rows' }))).rejects.toThrow(
    /does not exist or cannot be read/,
  );
  await expect(Array.fromAsync(readRows({ file: dir, table: 'rows' }))).rejects.toThrow(/is a folder/);
  await expect(rowsOf('a.csv', 'a,b,a\n1,2,3\n')).rejects.toThrow(/two columns named "a"/);
  await expect(rowsOf('a.csv', 'a\n1\n"never closed')).rejects.toThrow(/is not CSV after row 1/);
  await expect(rowsOf('a.csv', `a\n1\n"${'x'.repeat(3 << 20)}`)).rejects.toThrow(/is not CSV after row 1/);
  expect(await rowsOf('a.csv', '')).toEqual([]);
});

test('whatever cells hold comes back', async () => {
  const cell = fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed() && !text.includes('\uFFFD'));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), async (rows) => {
      const csv = ['a,b', ...rows.map((row) => row.map(quoted).join(','))].join('\n');
      const ndjson = rows.map(([a, b]) => JSON.stringify({ a, b })).join('\n');
      const expected = rows.map(([a, b], index) => ({ number: index + 1, values: { a, b } }));
      expect(await rowsOf('p.csv', csv)).toEqual(expected);
      expect(await rowsOf('p.ndjson', ndjson)).toEqual(expected);
    }),
  );
});
