import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/** Erasure and rebuild as people use them: the command line, the local cloud and a store of its own process and file. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-erase-'));
const at = (name: string) => join(dir, name);
const [cloud, store] = [at('cloud'), at('store')];
const CANARY = 'Canaria Featherstone';
const IN_CLOUD = ['--dir', cloud, '--json'];
const IN_STORE = ['--data', store, '--json'];
let running: RunningStack;

beforeAll(async () => {
  running = await startStack(cloud);
  const others = Array.from({ length: 300 }, (_, index) => `${1000 + index},n${index},`);
  writeFileSync(at('customers.csv'), ['user_id,firstname,lastname', ...others, `7,${CANARY.replace(' ', ',')}`, ''].join('\n'));
  await json(storeline('import', 'customer', at('customers.csv'), ...IN_CLOUD));
  const bill = 'T1,b7,REGULAR,n7,2026-11-01T10:00:00Z,Europe/London,12.5,GBP,S1,7,gift for Canaria Featherstone';
  const columns = 'till_code,bill_client_id,type,number,billing_time,billing_zone,amount,currency_code,store_code,user_id,notes';
  writeFileSync(at('bills.csv'), `${columns}\n${bill}\n`);
  await json(storeline('import', 'bill', at('bills.csv'), ...IN_CLOUD));
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--edition', 'core', ...IN_CLOUD));
  await json(agent('enrol', '--api', running.stack.api, '--code', code, ...IN_STORE));
  await json(agent('logon', '--wait', ...IN_STORE));
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Erased {
  readonly deleted: number;
  readonly stripped: number;
  readonly erasure: { readonly forgottenAt: string | null };
  readonly done: string[];
  readonly pending: { readonly storeId: string }[];
}

const storeHolds = (text: string) =>
  readdirSync(store, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1').includes(text));

test('an erased customer leaves head office and the store, down to the bytes of its file, and the report says when', async () => {
  expect(storeHolds('Canaria')).toBe(true);
  const erased = await json<Erased>(storeline('erase', 'customer', '7', '--reason', 'asked for it', ...IN_CLOUD));
  expect(erased).toMatchObject({ deleted: 1, stripped: 1, done: [], pending: [{ storeId: 'S1' }] });
  expect(erased.erasure.forgottenAt).not.toBeNull();
  expect((await storeline('records', 'get', 'customer', '7', ...IN_CLOUD)).stdout).not.toContain('Canaria');

  const logon = await json<{ complete: boolean; transfer: { bytes: number } }>(agent('logon', '--wait', ...IN_STORE));
  expect(logon.complete).toBe(true);
  expect(await json<Erased>(storeline('erase', 'status', '7', ...IN_CLOUD))).toMatchObject({
    done: [expect.stringMatching(/^S1:/)],
    pending: [],
  });
  expect((await agent('records', 'get', 'customer', '7', ...IN_STORE)).code).not.toBe(0);
  const bill = await json<{ record: { fields: Record<string, unknown> } }>(storeline('records', 'get', 'bill', 'T1/b7', ...IN_CLOUD));
  expect(JSON.stringify(bill)).toContain('12.5');
  expect(storeHolds('Canaria')).toBe(false);
  expect(await json(agent('verify', '--deep', ...IN_STORE))).toMatchObject({ equal: true });
});

test('a rebuild of what is right changes nothing that stores see', async () => {
  const { parts } = await json<{ parts: { counts: { looked: number; raised: number; removed: number } }[] }>(
    storeline('rebuild', 'Customer', '--since', '2099-01-01T00:00:00Z', ...IN_CLOUD),
  );
  expect(parts.reduce((sum, { counts }) => sum + counts.raised + counts.removed, 0)).toBe(0);
  expect(parts[0]?.counts.looked).toBeGreaterThan(300);
  const ran = await storeline('rebuild', 'Customers', ...IN_CLOUD);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/there is no component "Customers"/)]);
});
