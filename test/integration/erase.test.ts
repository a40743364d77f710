import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline, tokenOf } from '../fixtures/programs.ts';

/** Erasure and rebuild as people use them: the command line, the local cloud and a store of its own process and file. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-erase-'));
const at = (name: string) => join(dir, name);
const [cloud, store] = [at('cloud'), at('store')];
const CANARY = 'Canaria Featherstone';
const IN_CLOUD = ['--dir', cloud, '--json'];
const IN_STORE = ['--data', store, '--json'];
let running: RunningStack;

beforeAll(async () => {
  // Two people, from the first store on.
  const demo = JSON.parse(readFileSync(join(import.meta.dirname, '../../orgs/demo.json'), 'utf8')) as object;
  writeFileSync(at('org.json'), JSON.stringify({ ...demo, approval: { storesMin: 1 } }));
  running = await startStack(cloud, '--org', at('org.json'));
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

/** As somebody with a token; the names of the stack's clients. */
async function as<T>(client: string, run: () => Promise<T>): Promise<T> {
  process.env['STORELINE_TOKEN'] = await tokenOf(running.stack, client);
  try {
    return await run();
  } finally {
    delete process.env['STORELINE_TOKEN'];
  }
}

/** Asked for by one, approved by the other, carried out. */
async function byTwo<T>(...args: string[]): Promise<T> {
  const asked = await as('admin', () => storeline(...args, ...IN_CLOUD));
  expect(asked.code).toBe(3);
  const { undertaking } = JSON.parse(asked.stdout) as { undertaking: { undertakingId: string; state: string; stores: number } };
  expect(undertaking).toMatchObject({ state: 'WAITING', stores: 1 });
  const { undertakingId: id } = undertaking;
  expect((await storeline(...args, '--approval', id, ...IN_CLOUD)).stderr).toContain('it is WAITING');
  for (const who of ['admin', 'operator'])
    expect((await as(who, () => storeline('approvals', 'approve', id, ...IN_CLOUD))).code, who).toBe(4);
  expect((await storeline('approvals', 'approve', id, ...IN_CLOUD)).stderr).toContain('a token of the identity provider');
  await json(as('other-admin', () => storeline('approvals', 'approve', id, ...IN_CLOUD)));
  const done = await json<T>(storeline(...args, '--approval', id, ...IN_CLOUD));
  expect((await storeline(...args, '--approval', id, ...IN_CLOUD)).stderr).toContain('it is DONE');
  return done;
}

const storeHolds = (text: string) =>
  readdirSync(store, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1').includes(text));

test('an erased customer leaves head office and the store, down to the bytes of its file, and the report says when', async () => {
  expect(storeHolds('Canaria')).toBe(true);
  const alone = await storeline('erase', 'customer', '7', '--reason', 'asked for it', ...IN_CLOUD);
  expect([alone.code, alone.stderr]).toEqual([4, expect.stringContaining('takes two people')]);
  const erased = await byTwo<Erased>('erase', 'customer', '7', '--reason', 'asked for it');
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
  const { parts } = await byTwo<{ parts: { counts: { looked: number; raised: number; removed: number } }[] }>(
    'rebuild',
    'Customer',
    '--since',
    '2099-01-01T00:00:00Z',
    '--reason',
    'to see',
  );
  expect(await json(storeline('rebuild', 'Customer', '--dry-run', ...IN_CLOUD))).toMatchObject({ dryRun: true });
  expect(parts.reduce((sum, { counts }) => sum + counts.raised + counts.removed, 0)).toBe(0);
  expect(parts[0]?.counts.looked).toBeGreaterThan(300);
  const ran = await storeline('rebuild', 'Customers', ...IN_CLOUD);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/there is no component "Customers"/)]);
});

test('the audit has all of it: who asked, who said yes and who was refused, and not whose erasure it was', async () => {
  const { entries } = await json<{ entries: Record<string, unknown>[] }>(storeline('audit', ...IN_CLOUD));
  const about = entries
    .filter(({ op }) => /^(erase|rebuild|undertaking|approvals)\./.test(String(op)))
    .toReversed()
    .map(({ op, who, via, outcome }) => [op, via === 'OIDC' ? who : via, outcome]);
  const begun = (op: string) => [
    [op, 'admin (admin)', 'DONE'],
    ['undertaking.carry-out', 'IAM', 'INVALID_INPUT'],
    ['approvals.approve', 'admin (admin)', 'FORBIDDEN'],
    ['approvals.approve', 'operator (operator)', 'FORBIDDEN'],
    ['approvals.approve', 'IAM', 'FORBIDDEN'],
    ['approvals.approve', 'other-admin (other-admin)', 'DONE'],
    ['undertaking.carry-out', 'IAM', 'DONE'],
    ['undertaking.end', 'IAM', 'DONE'],
    ['undertaking.carry-out', 'IAM', 'INVALID_INPUT'],
  ];
  expect(about).toEqual([['erase.begin', 'IAM', 'FORBIDDEN'], ...begun('erase.begin'), ...begun('rebuild.begin')]);
  expect(entries.find(({ op, outcome }) => op === 'erase.begin' && outcome === 'DONE')).toMatchObject({
    reason: 'asked for it',
    change: { before: null, after: { state: 'WAITING', stores: 1 } },
  });
  expect(JSON.stringify(entries)).not.toMatch(/Canaria|"userId"/);
});
