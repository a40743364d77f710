import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createCloudApi, systemIo } from '../../agent/agent-io.ts';
import { requireIdentity } from '../../agent/identity.ts';
import { OutboxFile } from '../../agent/outbox/outbox-file.ts';
import { pushOutbox } from '../../agent/outbox/push-outbox.ts';
import type { PutAddress } from '../../protocol/messages/push.ts';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/** Stores record, with and without a network, and head office has it: real processes, files and cloud. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-up-'));
const at = (name: string) => join(dir, name);
const WAIT = { timeout: 30_000, interval: 200 };
const IN_CLOUD = ['--dir', at('cloud'), '--json'];
let running: RunningStack;

const inStore = (name: string) => ['--data', at(name), '--json'];
const put = (store: string, collection: string, record: object) =>
  json<{ opId: string; seq: number; status: string; key: string }>(
    agent('records', 'put', collection, JSON.stringify(record), ...inStore(store)),
  );
const logon = (store: string) =>
  json<{
    complete: boolean;
    replicaId: string;
    up: { sent: number; receipts: number; unsent: number; withoutReceipt: number; failure: unknown };
  }>(agent('logon', '--wait', ...inStore(store)));
const outbox = (store: string) =>
  json<{ counts: Record<string, number>; entries: { opId: string; status: string; receipt: { reason?: string } | null }[] }>(
    agent('outbox', ...inStore(store)),
  );
const inCloud = (collection: string, key: string) =>
  json<{ fields: Record<string, unknown> }>(storeline('records', 'get', collection, key, ...IN_CLOUD));
const bill = (id: string, store: string, more: object = {}) => ({
  till_code: `${store}-T1`,
  bill_client_id: id,
  type: 'NOT_INTERESTED',
  number: id,
  billing_time: '2026-11-23T10:00:00Z',
  billing_zone: 'Europe/London',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: store,
  ...more,
});

beforeAll(async () => {
  running = await startStack(at('cloud'));
  await json(storeline('records', 'put', 'customer', '{"user_id":"7","firstname":"Ann"}', ...IN_CLOUD));
  await json(storeline('records', 'put', 'coupon_series', '{"series_id":"s","max_redeem":1}', ...IN_CLOUD));
  await json(storeline('records', 'put', 'coupon', '{"coupon_id":"c1","series_id":"s","code":"SAVE","validity":"ACTIVE"}', ...IN_CLOUD));
  for (const store of ['S1', 'S2']) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', store, '--edition', 'core', ...IN_CLOUD));
    await json(agent('enrol', '--api', running.stack.api, '--code', code, ...inStore(store)));
    await logon(store);
  }
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('what a store records is seen at once, goes up once, and comes back as its own row', async () => {
  expect(await put('S1', 'bill', bill('b1', 'S1', { type: 'REGULAR', user_id: '7' }))).toMatchObject({
    seq: 1,
    status: 'PENDING',
    key: 'S1-T1/b1',
  });
  await put('S1', 'customer', { user_id: '7', lastname: 'Lee' });
  expect(await json(agent('records', 'get', 'customer', '7', ...inStore('S1')))).toMatchObject({
    pending: true,
    fields: { firstname: 'Ann', lastname: 'Lee' },
  });
  expect((await outbox('S1')).counts['PENDING']).toBe(2);
  expect(await json(agent('records', 'get', 'customer', '7', ...inStore('S1')))).toMatchObject({
    attributes: { firstname: 'SYNCED', lastname: 'PENDING_UPLOAD' },
  });
  expect((await logon('S1')).up).toEqual({ sent: 2, receipts: 2, unsent: 0, withoutReceipt: 0, failure: null });
  expect((await inCloud('customer', '7')).fields).toMatchObject({ firstname: 'Ann', lastname: 'Lee' });
  expect((await inCloud('bill', 'S1-T1/b1')).fields).toMatchObject({ amount: '12.5' });
  await logon('S1');
  expect(await json(agent('records', 'get', 'customer', '7', ...inStore('S1')))).toMatchObject({
    pending: false,
    fields: { lastname: 'Lee' },
  });
  await logon('S2');
  expect(await json(agent('records', 'get', 'bill', 'S1-T1/b1', ...inStore('S2')))).toMatchObject({ fields: { amount: '12.5' } });
});

test('what cannot be is refused before it is recorded, with the field', async () => {
  const ran = await agent('records', 'put', 'bill', JSON.stringify({ ...bill('b9', 'S1'), amount: '12.512345' }), ...inStore('S1'));
  expect([ran.code, ran.stderr]).toEqual([expect.any(Number), expect.stringMatching(/^INVALID_INPUT: amount /)]);
  const down = await agent('records', 'put', 'fraud_user', '{"user_id":"7","status":"MARKED"}', ...inStore('S1'));
  expect(down.stderr).toMatch(/fraud_user is written by head office only/);
  expect((await outbox('S1')).counts['PENDING']).toBe(0);
});

test('INV-17: two stores redeem one coupon: one has it, the other stands in the exceptions with both bills', async () => {
  const redeem = (store: string) => ({
    redemption_client_id: `r-${store}`,
    coupon_id: 'c1',
    code: 'SAVE',
    user_id: '7',
    redemption_time: '2026-11-23T11:00:00Z',
    transaction_number: `bill-${store}`,
    store_code: store,
    till_code: `${store}-T1`,
  });
  for (const store of ['S1', 'S2']) await put(store, 'coupon_redemption', redeem(store));
  for (const store of ['S1', 'S2']) await logon(store);
  const statuses = await Promise.all(['S1', 'S2'].map(async (store) => (await outbox(store)).entries.at(-1)?.status));
  expect(statuses).toEqual(['ACCEPTED', 'CONFLICT']);
  const { exceptions } = await json<{ exceptions: { storeId: string; against: string[] }[] }>(storeline('exceptions', 'list', ...IN_CLOUD));
  expect(exceptions).toMatchObject([{ storeId: 'S2' }]);
  expect(exceptions[0]?.against.join()).toMatch(/bill-S1.*bill-S2/);
});

test('what head office refuses is shown with what to do, mended and replayed, or discarded with a reason; its store hears of it', async () => {
  const [mended, dropped] = [
    await put('S1', 'bill', bill('q1', 'S1', { store_code: 'S2' })),
    await put('S1', 'bill', bill('q2', 'S1', { store_code: 'S2' })),
  ];
  await logon('S1');
  const { exceptions } = await json<{ exceptions: { opId: string; receipt: { reason: string } }[] }>(
    storeline('quarantine', 'list', '--status', 'REJECTED', '--store', 'S1', ...IN_CLOUD),
  );
  expect(exceptions.map(({ opId }) => opId)).toEqual([mended.opId, dropped.opId]);
  expect(await json(storeline('quarantine', 'show', mended.opId, ...IN_CLOUD))).toMatchObject({
    operation: { collection: 'bill', key: 'S1-T1/q1', fields: { amount: '12.5' } },
    receipt: { status: 'REJECTED', reason: 'it belongs to another store' },
    remedy: expect.stringContaining('mend what the reason names') as string,
  });
  expect((await storeline('quarantine', 'replay', mended.opId, '--fields', '{"store_code"', '--dir', at('cloud'))).code).toBe(2);
  expect(
    await json(storeline('quarantine', 'replay', mended.opId, '--fields', '{"store_code":"S1"}', '--reason', 'typed wrongly', ...IN_CLOUD)),
  ).toMatchObject({
    status: 'ACCEPTED',
  });
  expect((await storeline('quarantine', 'discard', dropped.opId, '--dir', at('cloud'))).stderr).toContain('--reason');
  await json(storeline('quarantine', 'discard', dropped.opId, '--reason', 'typed twice', ...IN_CLOUD));
  expect((await storeline('quarantine', 'show', dropped.opId, '--dir', at('cloud'))).stderr).toContain('NOT_FOUND');
  expect((await inCloud('bill', 'S1-T1/q1')).fields).toMatchObject({ store_code: 'S1' });
  await put('S1', 'bill', bill('q3', 'S1'));
  await logon('S1');
  const told = new Map((await outbox('S1')).entries.map((entry) => [entry.opId, entry.status]));
  expect([told.get(mended.opId), told.get(dropped.opId)]).toEqual(['ACCEPTED', 'DISCARDED']);
});

test('INV-48: points are redeemed by the word of head office, and offline only below the ceilings', async () => {
  await json(storeline('records', 'put', 'loyalty_summary', '{"user_id":"7","program_id":"P","points":"1000"}', ...IN_CLOUD));
  const spend = (id: string, points: string) =>
    JSON.stringify({ external_reference_number: id, user_id: '7', program_id: 'P', points_redeemed: points });
  const redeem = (id: string, points: string) => agent('redeem', 'points_redemption', spend(id, points), ...inStore('S1'));
  const refused = await agent('records', 'put', 'points_redemption', spend('p1', '501'), ...inStore('S1'));
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^REDEMPTION_NEEDS_HEAD_OFFICE: at most 500 points of a customer/),
  ]);
  expect(await json(redeem('p1', '501'))).toMatchObject({ outcome: 'APPROVED', isRepeat: false, balanceAfter: '499' });
  expect(await json(redeem('p1', '501'))).toMatchObject({ outcome: 'APPROVED', isRepeat: true });
  const declined = await redeem('p2', '500');
  expect([declined.code, JSON.parse(declined.stdout)]).toEqual([
    3,
    expect.objectContaining({ outcome: 'DECLINED', reason: 'there are 499 points, not 500' }),
  ]);
  await json(agent('records', 'put', 'points_redemption', spend('p3', '400'), ...inStore('S1')));
  expect((await agent('records', 'put', 'points_redemption', spend('p4', '101'), ...inStore('S1'))).stderr).toMatch(/501 would be/);
  await logon('S1');
  expect((await inCloud('loyalty_summary', '7/P')).fields).toMatchObject({ points: '99' });
  // Decided: what is undecided begins again at nothing.
  await json(agent('records', 'put', 'points_redemption', spend('p4', '99'), ...inStore('S1')));
  await logon('S1');
  expect((await inCloud('loyalty_summary', '7/P')).fields).toMatchObject({ points: '0' });
});

test('what a store has in an older database goes up too, and what head office has already is not there twice', async () => {
  const file = at('old.sqlite');
  const db = new DatabaseSync(file);
  const columns = Object.keys(bill('x', 'S2'));
  db.exec(`CREATE TABLE receipts (${columns.join(', ')})`);
  const insert = db.prepare(`INSERT INTO receipts VALUES (${columns.map(() => '?').join(', ')})`);
  for (const id of ['old1', 'old2']) insert.run(...Object.values(bill(id, 'S2')));
  insert.run(...Object.values({ ...bill('old3', 'S2'), amount: 'much' }));
  db.close();
  await json(storeline('records', 'put', 'bill', JSON.stringify(bill('old1', 'S2')), ...IN_CLOUD));
  const run = () => json(agent('import', 'bill', file, '--table', 'receipts', ...inStore('S2')));
  expect(await run()).toMatchObject({ read: 3, written: 2, unchanged: 0, rejected: 1 });
  expect(await run()).toMatchObject({ read: 3, written: 0, unchanged: 2, rejected: 1 });
  expect((await logon('S2')).up).toMatchObject({ sent: 2, receipts: 2, unsent: 0 });
  expect((await outbox('S2')).counts).toMatchObject({ DUPLICATE: 1 });
  expect((await inCloud('bill', 'S2-T1/old2')).fields).toMatchObject({ amount: '12.5' });
});

test('INV-10, INV-11: a backlog goes up as an object, by an address that head office gave, and is there once', async () => {
  const file = at('backlog.ndjson');
  const bills = Array.from({ length: 700 }, (_, index) => JSON.stringify(bill(`back${index}`, 'S2')));
  writeFileSync(file, bills.join('\n'));
  expect(await json(agent('import', 'bill', file, ...inStore('S2')))).toMatchObject({ read: 700, written: 700 });
  const io = systemIo(new AbortController().signal);
  const api = await createCloudApi(io, at('S2'), { patient: true });
  const recorded = OutboxFile.open(join(at('S2'), 'outbox.sqlite'), requireIdentity(join(at('S2'), 'identity.json')).replicaId);
  const puts: number[] = [];
  try {
    const cloud = {
      push: (request: Parameters<typeof api.push>[0]) => api.push(request),
      putObject: async (address: PutAddress, bytes: Uint8Array) => {
        await api.putObject(address, bytes);
        puts.push(bytes.length);
      },
    };
    expect(await pushOutbox({ cloud, outbox: recorded, signal: io.signal })).toMatchObject({ sent: 700 });
  } finally {
    recorded.close();
  }
  expect(puts).toHaveLength(1);
  expect((await logon('S2')).up).toMatchObject({ unsent: 0, withoutReceipt: 0, failure: null });
  for (const id of ['back0', 'back699']) expect((await inCloud('bill', `S2-T1/${id}`)).fields).toMatchObject({ number: id });
  expect((await outbox('S2')).counts['ACCEPTED']).toBeGreaterThanOrEqual(700);
  expect(await json(agent('import', 'bill', file, ...inStore('S2')))).toMatchObject({ read: 700, written: 0, unchanged: 700 });
});

test('a running agent takes records from the till and sends them within seconds', async () => {
  const child = spawn(process.execPath, ['agent/main.ts', 'run', '--data', at('S1'), '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    const api = await vi.waitFor(
      () => JSON.parse(readFileSync(join(at('S1'), 'local-api.json'), 'utf8')) as { url: string; token: string },
      WAIT,
    );
    const ask = (method: string, path: string, body?: object) =>
      fetch(`${api.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${api.token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const written = await ask('PUT', '/v1/records/bill', bill('till1', 'S1'));
    expect([written.status, await written.json()]).toEqual([200, expect.objectContaining({ key: 'S1-T1/till1', status: 'PENDING' })]);
    await vi.waitFor(async () => expect((await inCloud('bill', 'S1-T1/till1')).fields).toMatchObject({ number: 'till1' }), WAIT);
    expect((await fetch(`${api.url}/v1/status`)).status).toBe(401);
    expect((await ask('POST', '/v1/sync')).status).toBe(202);
    await vi.waitFor(async () => {
      const { counts } = (await (await ask('GET', '/v1/outbox')).json()) as { counts: Record<string, number> };
      expect(counts['PENDING'] ?? 0).toBe(0);
      expect(counts['SENDING'] ?? 0).toBe(0);
    }, WAIT);
  } finally {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
  expect(existsSync(join(at('S1'), 'local-api.json'))).toBe(false);
});

test('without a network everything is recorded, and goes up when it is back', async () => {
  const { stack } = running;
  await running.stop();
  for (let index = 0; index < 5; index += 1) await put('S1', 'bill', bill(`off${index}`, 'S1'));
  const ran = await agent('logon', ...inStore('S1'));
  expect(ran.code).not.toBe(0);
  expect((await outbox('S1')).counts).toMatchObject({ ACCEPTED: expect.any(Number) as number });
  running = await startStack(at('cloud'), '--port', new URL(stack.api).port);
  expect((await logon('S1')).up).toMatchObject({ unsent: 0, withoutReceipt: 0, failure: null });
  for (let index = 0; index < 5; index += 1)
    expect((await inCloud('bill', `S1-T1/off${index}`)).fields).toMatchObject({ number: `off${index}` });
});

test('INV-10: a copied folder becomes a replica of its own, and neither loses what it recorded', async () => {
  cpSync(at('S2'), at('copy'), { recursive: true });
  await put('S2', 'bill', bill('first', 'S2'));
  await put('copy', 'bill', bill('second', 'S2'));
  const first = await logon('S2');
  const second = await logon('copy');
  expect(second.replicaId).not.toBe(first.replicaId);
  expect(second.complete).toBe(true);
  for (const id of ['first', 'second']) expect((await inCloud('bill', `S2-T1/${id}`)).fields).toMatchObject({ number: id });
  // It had nothing of its own past but what was not closed.
  expect((await logon('copy')).up).toMatchObject({ sent: 0, unsent: 0, withoutReceipt: 0 });
});
