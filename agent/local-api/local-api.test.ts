import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Hono } from 'hono';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { SyncError } from '../../protocol/sync-error.ts';
import { OutboxFile } from '../outbox/outbox-file.ts';
import { StoreRecords } from '../outbox/store-records.ts';
import { createLocalApi } from './local-api.ts';
import { openApi } from './open-api.ts';

const HOST = '127.0.0.1:8750';
let folder: string;
let app: Hono;
let outbox: OutboxFile;
let logged: string[];
let asked: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-api-'));
  outbox = OutboxFile.open(join(folder, 'outbox.sqlite'), 'S1:r');
  logged = [];
  asked = 0;
  const records = new StoreRecords({ replica: null, outbox, clock: { now: () => 1_790_000_000_000 }, ids: { next: uuidv7 } });
  app = createLocalApi({
    token: 'secret',
    hosts: () => [HOST],
    withRecords: (run) => run({ records, outbox }),
    status: () => ({ complete: true }),
    redeem: (collection) => Promise.reject(new SyncError('CONNECTIVITY', `${collection} is not decided: head office cannot be reached`)),
    requestSync: () => (asked += 1),
    log: (line) => logged.push(line),
  });
});
afterEach(() => {
  outbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const headers = { authorization: 'Bearer secret', host: HOST };
const ask = (method: string, path: string, body?: string, more: Record<string, string> = {}) =>
  app.request(`http://${HOST}${path}`, { method, headers: { ...headers, ...more }, ...(body === undefined ? {} : { body }) });
const bill = {
  till_code: 'T1',
  bill_client_id: 'b1',
  type: 'NOT_INTERESTED',
  number: 'b1',
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'UTC',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: 'S1',
};

test('a record is recorded, read and listed; the same again is not recorded twice', async () => {
  const written = (await (await ask('PUT', '/v1/records/bill', JSON.stringify(bill))).json()) as object;
  expect(written).toMatchObject({ seq: 1, key: 'T1/b1', status: 'PENDING' });
  const read = await ask('GET', `/v1/records/bill/${encodeURIComponent('T1/b1')}`);
  expect([read.status, await read.json()]).toEqual([
    200,
    {
      collection: 'bill',
      key: 'T1/b1',
      pending: true,
      fields: expect.objectContaining({ amount: '12.5' }) as object,
      attributes: expect.objectContaining({ amount: 'PENDING_UPLOAD' }) as object,
    },
  ]);
  expect(await (await ask('PUT', '/v1/records/bill', JSON.stringify(bill))).json()).toMatchObject({ opId: null, status: 'UNCHANGED' });
  expect(await (await ask('GET', '/v1/outbox?status=PENDING')).json()).toMatchObject({
    counts: { PENDING: 1 },
    entries: [{ key: 'T1/b1' }],
    next: null,
  });
  expect(await (await ask('GET', '/v1/status')).json()).toEqual({ complete: true });
  expect([(await ask('POST', '/v1/sync')).status, asked]).toEqual([202, 1]);
});

test.each<[string, Record<string, string>]>([
  ['no token', { authorization: '' }],
  ['another token', { authorization: 'Bearer secrex' }],
  ['a longer token', { authorization: 'Bearer secrets' }],
  ['another name for this machine', { host: 'till.example:8750' }],
  ['a page of a browser', { origin: 'http://example.org' }],
])('%s is refused', async (_, more) => {
  const answer = await ask('PUT', '/v1/records/bill', JSON.stringify(bill), more);
  expect([answer.status, await answer.json()]).toEqual([401, { error: expect.objectContaining({ code: 'UNAUTHORIZED' }) as object }]);
  expect(outbox.counts().PENDING).toBe(0);
});

test('whatever is sent: a typed error, never a bug, and nothing recorded', async () => {
  const methods = fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH');
  const segment = fc.oneof(
    fc.constantFrom('v1', 'records', 'bill', 'customer', 'outbox', 'nobody', '__proto__', '%00', '..'),
    fc.string({ unit: 'grapheme' }).map(encodeURIComponent),
  );
  const body = fc.oneof(
    fc.jsonValue({ maxDepth: 8 }).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'binary' }),
    fc.record({ till_code: fc.anything(), bill_client_id: fc.string(), amount: fc.anything() }).map((value) => JSON.stringify(value) ?? ''),
    fc.constant(`{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`),
  );
  await fc.assert(
    fc.asyncProperty(methods, fc.array(segment, { minLength: 1, maxLength: 4 }), body, async (method, segments, text) => {
      const answer = await ask(method, `/${segments.join('/')}`, method === 'GET' ? undefined : text);
      expect(answer.status, `${method} ${segments.join('/')} ${logged.at(-1)}`).toBeLessThan(500);
      if (answer.status >= 400)
        expect(await answer.json()).toMatchObject({ error: { code: expect.any(String) as string, remedy: expect.any(String) as string } });
    }),
    { numRuns: 500 },
  );
  expect(outbox.countOpen().unsent).toBe(0);
});

test('a body that is too large is refused before it is read', async () => {
  const answer = await ask('PUT', '/v1/records/bill', JSON.stringify({ ...bill, notes: 'x'.repeat(300_000) }));
  expect([answer.status, await answer.json()]).toEqual([400, { error: expect.objectContaining({ code: 'INVALID_INPUT' }) as object }]);
});

test('the document in docs is the one that is served', async () => {
  await expect(`${JSON.stringify(openApi(), null, 2)}\n`).toMatchFileSnapshot('../../docs/local-api.json');
  expect(await (await ask('GET', '/openapi.json')).json()).toEqual(openApi());
});

test('INV-47: what may not be redeemed without head office is not recorded, and head office is asked by another path', async () => {
  const spent = { external_reference_number: '1', user_id: 'c', program_id: 'p', points_redeemed: '5' };
  const put = await ask('PUT', '/v1/records/points_redemption', JSON.stringify(spent));
  expect([put.status, await put.json()]).toMatchObject([409, { error: { code: 'REDEMPTION_NEEDS_HEAD_OFFICE' } }]);
  expect(outbox.list({ limit: 10 })).toEqual([]);
  const answered = await ask('POST', '/v1/redemptions/points_redemption', JSON.stringify(spent));
  expect([answered.status, await answered.json()]).toMatchObject([503, { error: { code: 'CONNECTIVITY' } }]);
});
