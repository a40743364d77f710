import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/**
 * The real bills from file to store, and an independent check at the end: main data read with the AWS SDK and the replica with
 * SQL, neither with our code, compared field by field for every row.
 */
const ROWS = 54_716;
const dir = mkdtempSync(join(tmpdir(), 'storeline-bills-'));
const cloud = join(dir, 'cloud');
const data = join(dir, 'store');
const importBills = () =>
  json<Record<string, unknown>>(
    storeline(
      'import',
      'bill',
      'examples/online-retail-bills.csv',
      '--map',
      'examples/online-retail-bills.map.json',
      '--dir',
      cloud,
      '--json',
    ),
  );
let running: RunningStack;

beforeAll(async () => {
  running = await startStack(cloud);
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('every row of the file is written, and importing it again changes nothing', async () => {
  const customers = 5_942;
  expect(await importBills()).toEqual({
    read: ROWS,
    written: ROWS,
    unchanged: 0,
    rejected: 0,
    rejectsFile: null,
    also: { customer: { written: customers, unchanged: 0, rejected: 0 } },
  });
  expect(await importBills()).toEqual({
    read: ROWS,
    written: 0,
    unchanged: ROWS,
    rejected: 0,
    rejectsFile: null,
    also: { customer: { written: 0, unchanged: customers, rejected: 0 } },
  });
});

test('a store gets all of it, with a certificate for every component', async () => {
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--dir', cloud, '--json'));
  await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'));
  const outcome = await json<{ complete: boolean; components: { status: string; certificate: object | null }[] }>(
    agent('logon', '--data', data, '--wait', '--json'),
  );
  expect(outcome.complete).toBe(true);
  expect(outcome.components.filter(({ status }) => status.startsWith('COMPLETED')).map(({ certificate }) => certificate === null)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(await json(agent('verify', '--data', data, '--deep', '--json'))).toMatchObject({ equal: true });
});

test('what is in the replica equals what is in main data, field by field, for every row', async () => {
  const client = new DynamoDBClient({
    endpoint: running.stack.endpoints.dynamodb,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const db = new DatabaseSync(join(data, 'replica.sqlite'), { readOnly: true });
  const rows = new Map<string, Record<string, unknown>>();
  for (const collection of ['bill', 'customer']) {
    for (const row of db.prepare(`SELECT * FROM ${collection}`).iterate()) rows.set(`${collection}/${String(row['key'])}`, { ...row });
  }
  let seen = 0;
  for await (const page of paginateScan({ client }, { TableName: running.stack.tables['records'] ?? '', ConsistentRead: true })) {
    for (const item of page.Items ?? []) {
      const { collection, key, rev, fields } = unmarshall(item) as {
        collection: string;
        key: string;
        rev: number;
        fields: Record<string, unknown>;
      };
      const row = rows.get(`${collection}/${key}`);
      const { key: ownKey, rev: ownRev, extra, ...columns } = row ?? {};
      const present = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null));
      expect({ key: ownKey, rev: ownRev, extra, ...present }).toEqual({ key, rev, extra: null, ...fields });
      rows.delete(`${collection}/${key}`);
      seen += 1;
    }
  }
  expect(seen).toBe(ROWS + 5_942);
  expect(rows.size).toBe(0);
  db.close();
});

test('the bills mean what the file says', () => {
  const db = new DatabaseSync(join(data, 'replica.sqlite'), { readOnly: true });
  const one = (sql: string) => Object.values(db.prepare(sql).get() ?? {})[0];
  expect(
    one("SELECT count(*) FROM bill WHERE number LIKE 'C%' AND type IN ('RETURN', 'NOT_INTERESTED_RETURN') AND return_type = 'CANCELLED'"),
  ).toBe(8_428);
  expect(one("SELECT count(*) FROM bill WHERE number LIKE 'C%'")).toBe(8_428);
  expect(one("SELECT count(*) FROM bill WHERE user_id IS NULL AND type LIKE 'NOT_INTERESTED%'")).toBe(8_939);
  expect(one('SELECT count(DISTINCT number) FROM bill')).toBe(53_628);
  expect(one('SELECT count(*) FROM bill')).toBe(ROWS);
  // 145.79999999999998 in the file.
  expect(one("SELECT amount FROM bill WHERE number = '489435'")).toBe('145.8');
  // 4/1/10 in summer time, 12/1/09 in winter time.
  expect(one("SELECT billing_time FROM bill WHERE number = '489434'")).toBe('2009-12-01T07:45:00Z');
  expect(one("SELECT count(*) FROM bill WHERE business_date = '2010-07-01' AND substr(billing_time, 12, 2) < '06'")).toBe(0);
  // To the thousandth: the sum of all totals of the file, returns against sales.
  const thousandths = db
    .prepare("SELECT amount, type LIKE '%RETURN' AS back FROM bill")
    .all()
    .reduce((sum, { amount, back }) => sum + Math.round(Number(amount) * 1_000) * (back === 1 ? -1 : 1), 0);
  expect(thousandths).toBe(19_287_250_568);
  db.close();
});
