import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'csv-parse/sync';
import { afterAll, expect, test } from 'vitest';
import { limits } from '../protocol/limits.ts';
import type { WriteOutcome } from '../protocol/messages/console.ts';
import { type ImportOptions, type ImportSummary, importFile } from './import-file.ts';
import type { Mapping } from './mapping.ts';

/** A whole import against a head office that answers as told. */
type Put = Record<string, unknown>;
const dir = mkdtempSync(join(tmpdir(), 'storeline-import-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const written: WriteOutcome = { outcome: 'written', key: 'k', rev: 1 };
const unchanged: WriteOutcome = { outcome: 'unchanged', key: 'k', rev: 1 };
const rejected: WriteOutcome = { outcome: 'rejected', issues: [{ field: 'status', reason: 'is no status' }] };

function runImport(name: string, content: string, options: Partial<ImportOptions> = {}): Promise<ImportSummary> {
  const file = join(dir, name);
  writeFileSync(file, content);
  return importFile({
    collection: 'fraud_user',
    file,
    mapping: null,
    rejectsDir: join(dir, 'imports'),
    write: (_, puts) => Promise.resolve(puts.map(() => written)),
    onProgress: () => undefined,
    ...options,
  });
}

const rejectsOf = ({ rejectsFile }: ImportSummary): string[][] => parse(readFileSync(rejectsFile ?? '', 'utf8'));

test('every rejected row stands in the rejects file with its number, the reason and the row as it came', async () => {
  const summary = await runImport('mixed.csv', 'user_id,status\n1,MARKED\n2,"no, ""not"" this"\n3,MARKED,more\n4,MARKED\n', {
    write: (_, puts) => Promise.resolve(puts.map(({ user_id: id }) => (id === '2' ? rejected : id === '4' ? unchanged : written))),
  });
  expect(summary).toMatchObject({ read: 4, written: 1, unchanged: 1, rejected: 2 });
  expect(rejectsOf(summary)).toEqual([
    ['row', 'collection', 'field', 'reason', 'raw'],
    ['3', 'fraud_user', 'row', 'has 3 cells and the header has 2', '["3","MARKED","more"]'],
    ['2', 'fraud_user', 'status', 'is no status', '{"user_id":"2","status":"no, \\"not\\" this"}'],
  ]);
});

test('an import without rejects takes the rejects file of an earlier one away', async () => {
  const first = await runImport('again.csv', 'user_id,status\n1\n');
  expect(first).toMatchObject({ read: 1, written: 0, rejected: 1 });
  const second = await runImport('again.csv', 'user_id,status\n1,MARKED\n');
  expect(second).toMatchObject({ read: 1, written: 1, rejected: 0, rejectsFile: null });
  expect(() => readFileSync(first.rejectsFile ?? '')).toThrow('ENOENT');
});

test('rows of NDJSON that are no records are rejected, the others go on', async () => {
  const lines = [
    '{"user_id":"1","status":"MARKED"}',
    'no json',
    '[1]',
    '',
    '{"user_id":"2","colour":"red"}',
    '{"user_id":"3","blocks":["EARN"]}',
  ];
  const sent: Put[] = [];
  const summary = await runImport('rows.ndjson', lines.join('\n'), {
    write: (_, puts) => {
      sent.push(...puts);
      return Promise.resolve(puts.map(() => written));
    },
  });
  expect(summary).toMatchObject({ read: 5, written: 2, unchanged: 0, rejected: 3 });
  expect(sent).toEqual([
    { user_id: '1', status: 'MARKED' },
    { user_id: '3', blocks: ['EARN'] },
  ]);
  expect(rejectsOf(summary).map(([row, , field, reason]) => [row, field, reason])).toEqual([
    ['row', 'field', 'reason'],
    ['2', 'row', 'is not JSON'],
    ['3', 'row', 'is not a JSON object'],
    ['4', 'colour', 'is not a field of this collection'],
  ]);
});

test('a record that is too large is rejected by itself', async () => {
  const blocks = 'x'.repeat(limits.recordBytesMax);
  const summary = await runImport('large.csv', `user_id,blocks\n1,a\n2,${blocks}\n3,b\n`);
  expect(summary).toMatchObject({ read: 3, written: 2, rejected: 1 });
  expect(rejectsOf(summary)[1]?.slice(0, 3)).toEqual(['2', 'fraud_user', 'record']);
});

test.each([
  ['a column that is no field', 'user_id,colour\n1,red\n', null, /has no field colour/],
  [
    'a column the mapping misses',
    'id\n1\n',
    { targets: [{ collection: 'fraud_user', fields: { user_id: { column: 'a' as const } } }] },
    /needs the columns a; the file has id/,
  ],
  ['a column twice', 'user_id,user_id\n1,2\n', null, /two columns named "user_id"/],
])('%s stops the import before anything is written', async (_, content, mapping, message) => {
  let writes = 0;
  const write = (__: string, puts: Put[]) => {
    writes += 1;
    return Promise.resolve(puts.map(() => written));
  };
  await expect(runImport('unfit.csv', content, { mapping, write })).rejects.toThrow(message);
  expect(writes).toBe(0);
});

test('reading waits while head office is slow: few batches of bounded size are ever held', async () => {
  const rows = 20_000;
  const content = ['user_id,status', ...Array.from({ length: rows }, (_, index) => `${index},MARKED`)].join('\n');
  const sizes: number[] = [];
  const keys = new Set<unknown>();
  let [read, answered, held, running, most] = [0, 0, 0, 0, 0];
  const summary = await runImport('slow.csv', content, {
    onProgress: (count) => {
      read = count;
      held = Math.max(held, read - answered);
    },
    write: async (_, puts) => {
      running += 1;
      most = Math.max(most, running);
      sizes.push(puts.length);
      for (const put of puts) keys.add(put['user_id']);
      await sleep(5);
      running -= 1;
      answered += puts.length;
      return puts.map(() => written);
    },
  });
  expect(summary).toMatchObject({ read: rows, written: rows, unchanged: 0, rejected: 0 });
  expect(keys.size).toBe(rows);
  expect(Math.max(...sizes)).toBe(limits.writeBatchMax);
  expect(most).toBe(4);
  // Four that are written, one that is full and one that is being filled.
  expect(held).toBeLessThanOrEqual(6 * limits.writeBatchMax);
});

test('a batch of large records stays below its limit in bytes', async () => {
  const blocks = 'x'.repeat(200_000);
  const content = ['user_id,blocks', ...Array.from({ length: 60 }, (_, index) => `${index},${blocks}`)].join('\n');
  const bytes: number[] = [];
  const summary = await runImport('heavy.csv', content, {
    write: (_, puts) => {
      bytes.push(puts.reduce((sum, put) => sum + JSON.stringify(put).length, 0));
      return Promise.resolve(puts.map(() => written));
    },
  });
  expect(summary).toMatchObject({ read: 60, written: 60 });
  expect(bytes.length).toBeGreaterThan(1);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(limits.writeBatchBytesMax);
});

const WITH_CUSTOMERS: Mapping = {
  targets: [
    {
      collection: 'customer',
      when: { column: 'customer', is: 'present' },
      fields: { user_id: { column: 'customer' }, name: { column: 'name' } },
    },
    { collection: 'fraud_user', when: { column: 'id', is: 'present' }, fields: { user_id: { column: 'id', as: 'integer' } } },
  ],
};

test('a side record is sent once however many rows have it, and again when it differs', async () => {
  const content = 'id,customer,name\n1,A,Ann\n2,A,Ann\n3,,\n4,B,Bo\n5,A,Anna\n,A,Ann\nx,A,Ann\n';
  const sent: [string, Put][] = [];
  const summary = await runImport('bills.csv', content, {
    mapping: WITH_CUSTOMERS,
    write: (collection, puts) => {
      sent.push(...puts.map((put): [string, Put] => [collection, put]));
      return Promise.resolve(puts.map(() => written));
    },
  });
  expect(sent.filter(([collection]) => collection === 'customer').map(([, put]) => put)).toEqual([
    { user_id: 'A', name: 'Ann' },
    { user_id: 'B', name: 'Bo' },
    { user_id: 'A', name: 'Anna' },
  ]);
  expect(summary).toMatchObject({
    read: 7,
    written: 5,
    unchanged: 0,
    rejected: 2,
    also: { customer: { written: 3, unchanged: 0, rejected: 0 } },
  });
  expect(rejectsOf(summary).map((cells) => cells.slice(0, 4))).toEqual([
    ['row', 'collection', 'field', 'reason'],
    ['6', 'fraud_user', 'row', 'no target of the mapping applies'],
    ['7', 'fraud_user', 'user_id', '"x" is not a whole number'],
  ]);
});

test('a head office that fails ends the import with its error', async () => {
  const failing = () => Promise.reject(new Error('head office is gone'));
  await expect(runImport('fails.csv', 'user_id\n1\n', { write: failing })).rejects.toThrow('head office is gone');
  const short = () => Promise.resolve([]);
  await expect(runImport('short.csv', 'user_id\n1\n', { write: short })).rejects.toThrow('answered for 0 records of the 1');
});
