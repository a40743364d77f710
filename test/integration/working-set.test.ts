import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PinnedFile } from '../../agent/pinned/pinned-file.ts';
import { limits } from '../../protocol/limits.ts';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/** An organization that keeps customers by working set: its cloud, and two stores of their own processes and files. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-set-'));
const at = (name: string) => join(dir, name);
const IN_CLOUD = ['--dir', at('cloud'), '--json'];
let running: RunningStack;

beforeAll(async () => {
  running = await startStack(at('cloud'), '--org', 'nordlys');
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

let files = 0;
async function write(collection: string, columns: string, ...rows: string[]): Promise<void> {
  const file = at(`${(files += 1)}.csv`);
  writeFileSync(file, `${[columns, ...rows].join('\n')}\n`);
  expect(await json(storeline('import', collection, file, ...IN_CLOUD))).toMatchObject({ rejected: 0 });
}

const BILL = 'till_code,bill_client_id,type,number,billing_time,billing_zone,amount,currency_code,store_code,user_id';
const billOf = (id: string, store: string, user: string) =>
  `T,${id},REGULAR,${id},2026-11-01T10:00:00Z,Europe/Oslo,12.5,NOK,${store},${user}`;

async function logon(storeId: string): Promise<string[]> {
  const state = await json<{ complete: boolean }>(agent('logon', '--wait', '--data', at(storeId), '--json'));
  expect(state.complete).toBe(true);
  const db = new DatabaseSync(join(at(storeId), 'replica.sqlite'), { readOnly: true });
  try {
    return ['customer', 'bill', 'bill_line'].flatMap((table) =>
      db
        .prepare(`SELECT key FROM ${table} ORDER BY key`)
        .all()
        .map((row) => `${table}/${String(row['key'])}`),
    );
  } finally {
    db.close();
  }
}

test('a store gets the customers that are its own, another one when it sells to them, and never the rest', async () => {
  await write('customer', 'user_id,firstname,registered_store', '1,Ann,S1', '2,Bob,S2', '3,Cid,');
  await write('bill', BILL, billOf('b1', 'S1', '1'));
  await write('bill_line', 'till_code,bill_client_id,line_seq,currency_code,amount', 'T,b1,1,NOK,12.5');
  for (const storeId of ['S1', 'S2']) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', storeId, '--edition', 'core', ...IN_CLOUD));
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', at(storeId), '--json'));
  }
  expect(await logon('S1')).toEqual(['customer/1', 'bill/T/b1', 'bill_line/T/b1/1']);
  expect(await logon('S2')).toEqual(['customer/2']);

  await write('bill', BILL, billOf('b2', 'S2', '1'));
  expect(await logon('S2')).toEqual(['customer/1', 'customer/2', 'bill/T/b1', 'bill/T/b2', 'bill_line/T/b1/1']);
  expect(await logon('S1')).toEqual(['customer/1', 'bill/T/b1', 'bill/T/b2', 'bill_line/T/b1/1']);
  // Somebody whom neither of them knows walks in.
  const inStore = ['--data', at('S1'), '--json'];
  expect((await agent('records', 'get', 'customer', '3', ...inStore)).code).toBe(1);
  expect(await json(agent('lookup', '3', ...inStore))).toMatchObject({
    source: 'head-office',
    customer: { user_id: '3', firstname: 'Cid' },
  });
  expect(await json(agent('records', 'get', 'customer', '3', ...inStore))).toMatchObject({ fields: { firstname: 'Cid' }, pinned: {} });
  expect(await agent('lookup', '99', ...inStore)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) as string });
  for (const storeId of ['S1', 'S2'])
    expect(await json(agent('verify', '--deep', '--data', at(storeId), '--json'))).toMatchObject({ equal: true });

  await running.stop();
  expect(await json(agent('lookup', '3', ...inStore))).toMatchObject({ source: 'pinned', customer: { firstname: 'Cid' } });
  const offline = await agent('lookup', '2', ...inStore);
  expect([offline.code, offline.stderr]).toEqual([1, expect.stringMatching(/^CONNECTIVITY: .*nobody looked this customer up here/)]);
});

test('a damaged file of looked-up customers is begun again', () => {
  const path = at('damaged.sqlite');
  writeFileSync(path, 'not a database, and longer than the header of one'.repeat(40));
  const pinned = PinnedFile.open(path, Date.now());
  expect(pinned.find('3')).toBeNull();
  pinned.close();
});

test('what was looked up is gone a day later', () => {
  const path = join(at('S1'), 'pinned.sqlite');
  const inADay = PinnedFile.open(path, Date.now() + limits.lookupLifeMs + 60_000);
  expect(inADay.find('3')).toBeNull();
  inADay.close();
  expect(readFileSync(path, 'latin1')).not.toContain('Cid');
});
