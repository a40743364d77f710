import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Ran, type RunningStack, agent, json, startStack, storeline, tokenOf } from '../fixtures/programs.ts';

/** Erasure and rebuild as people use them: the command line, the local cloud and a store of its own process and file. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-erase-'));
const at = (name: string) => join(dir, name);
const [cloud, store] = [at('cloud'), at('store')];
const WAIT = { timeout: 30_000, interval: 500 };
const CANARY = 'Canaria Featherstone';
const IN_CLOUD = ['--dir', cloud, '--json'];
let running: RunningStack;
/** What nobody may read in a log, and what the agent said beside its answers. */
const secrets = ['Canaria', 'Featherstone', 'Halcyon', '447700900007', 'canaria@', 'halcyon@', 'SPEND-ME-ONCE'];
let said = '';

async function inStore(...args: string[]): Promise<Ran> {
  const ran = await agent(...args, '--data', store, '--json');
  said += ran.stderr;
  return ran;
}

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
  await json(inStore('enrol', '--api', running.stack.api, '--code', code));
  const { privateKey } = JSON.parse(readFileSync(join(store, 'identity.json'), 'utf8')) as { privateKey: { d: string } };
  secrets.push(code, code.replaceAll('-', ''), privateKey.d);
  await json(inStore('logon', '--wait'));
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

/** Whatever is refused at a door of head office. */
async function refused(route: string, body: object, authorization?: string): Promise<void> {
  const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  const response = await fetch(`${running.stack.api}/v1/${route}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBeGreaterThanOrEqual(400);
}

/** What no function understands, past all doors. */
async function writeNonsense(fields: object): Promise<void> {
  const { endpoints, region, tables } = running.stack;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region, endpoint: endpoints.dynamodb, credentials }));
  await client.send(new PutCommand({ TableName: tables['records'] ?? '', Item: { pk: 'customer#0', sk: 'nonsense', fields } }));
}

test('an erased customer leaves head office and the store, down to the bytes of its file, and the report says when', async () => {
  expect(storeHolds('Canaria')).toBe(true);
  const alone = await storeline('erase', 'customer', '7', '--reason', 'asked for it', ...IN_CLOUD);
  expect([alone.code, alone.stderr]).toEqual([4, expect.stringContaining('takes two people')]);
  const erased = await byTwo<Erased>('erase', 'customer', '7', '--reason', 'asked for it');
  expect(erased).toMatchObject({ deleted: 1, stripped: 1, done: [], pending: [{ storeId: 'S1' }] });
  expect(erased.erasure.forgottenAt).not.toBeNull();
  expect((await storeline('records', 'get', 'customer', '7', ...IN_CLOUD)).stdout).not.toContain('Canaria');

  const logon = await json<{ complete: boolean; transfer: { bytes: number } }>(inStore('logon', '--wait'));
  expect(logon.complete).toBe(true);
  expect(await json<Erased>(storeline('erase', 'status', '7', ...IN_CLOUD))).toMatchObject({
    done: [expect.stringMatching(/^S1:/)],
    pending: [],
  });
  expect((await inStore('records', 'get', 'customer', '7')).code).not.toBe(0);
  const bill = await json<{ record: { fields: Record<string, unknown> } }>(storeline('records', 'get', 'bill', 'T1/b7', ...IN_CLOUD));
  expect(JSON.stringify(bill)).toContain('12.5');
  expect(storeHolds('Canaria')).toBe(false);
  expect(await json(inStore('verify', '--deep'))).toMatchObject({ equal: true });
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

let runId: string;

test('a person goes through everything there is: recorded, sent, redeemed, looked up, refused, set aside', async () => {
  const person = { lastname: 'Halcyon', mobile: '447700900007', email: 'halcyon@example.org' };
  await json(inStore('records', 'put', 'customer', JSON.stringify({ user_id: '1001', ...person })));
  const bill = { till_code: 'S1-T1', bill_client_id: 'b8', type: 'NOT_INTERESTED', number: 'b8', billing_zone: 'Europe/London' };
  const time = '2026-11-23T10:00:00Z';
  const more = { billing_time: time, amount: '12.5', currency_code: 'GBP', store_code: 'S1', notes: 'for Halcyon' };
  await json(inStore('records', 'put', 'bill', JSON.stringify({ ...bill, ...more, user_id: '1001' })));
  const spend = {
    user_id: '1001',
    program_id: 'P',
    points_redeemed: '5',
    redemption_time: time,
    redemption_zone: 'Europe/London',
    store_code: 'S1',
  };
  await json(inStore('records', 'put', 'points_redemption', JSON.stringify({ ...spend, external_reference_number: 'Halcyon-1' })));
  const logon = await json<{ run: { runId: string }; up: { sent: number } }>(inStore('logon', '--wait', '--progress', 'json'));
  expect(logon.up.sent).toBe(3);
  ({ runId } = logon.run);
  const redeemed = await inStore('redeem', 'points_redemption', JSON.stringify({ ...spend, external_reference_number: 'Halcyon-2' }));
  expect([redeemed.code, redeemed.stdout]).toEqual([3, expect.stringContaining('DECLINED')]);
  await inStore('redeem', 'coupon_redemption', JSON.stringify({ code: 'SPEND-ME-ONCE', user_id: '1001' }));
  await inStore('lookup', '+447700900007', '--type', 'mobile');

  const { exceptions } = await json<{ exceptions: { opId: string }[] }>(storeline('quarantine', 'list', ...IN_CLOUD));
  const opId = exceptions[0]?.opId ?? '';
  const mend = ['--fields', '{"program_id":"Halcyon"}', '--reason', 'for the logs'];
  await storeline('quarantine', 'replay', opId, ...mend, ...IN_CLOUD);
  await as('admin', () => storeline('records', 'get', 'customer', '1001', ...IN_CLOUD));
  await refused('enrol', { protocol: 2, code: 'SPEND-ME-ONCE', publicKey: person });
  await refused('push', { protocol: 2, agentVersion: '1', operations: [person] }, 'Storeline SPEND-ME-ONCE');
  const token = await tokenOf(running.stack, 'admin');
  await refused(
    'console',
    { protocol: 2, request: { op: 'records.get', collection: 'customer', key: '1001', ...person } },
    `Bearer ${token}`,
  );
  await refused('console', { protocol: 2, request: { op: 'records.get', collection: 'Halcyon', key: 'Halcyon' } }, `Bearer ${token}`);
  await json(storeline('sweep', ...IN_CLOUD));
  await writeNonsense(person);
  await vi.waitFor(async () => {
    const { entries } = await json<{ entries: object[] }>(storeline('quarantine', 'stream', ...IN_CLOUD));
    expect(entries).toHaveLength(1);
  }, WAIT);
  secrets.push(token.split('.')[2] ?? '');
});

test('INV-51: no line of a log has anything of a person or a secret, and who looks for a sync finds it', () => {
  const folder = join(cloud, 'logs');
  const logs = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  const logOf = (of: string) => logs.find(({ name }) => name.endsWith(`-${of}.log`))?.text ?? '';
  // Not those of the runtime.
  const lines = (of: string) =>
    logOf(of)
      .split('\n')
      .filter((line) => line.startsWith('{')).length;
  for (const name of ['apply', 'console', 'enrol', 'erase', 'feed-writer', 'lookup', 'push', 'redeem'])
    expect(lines(name), name).toBeGreaterThan(0);
  expect(said.length).toBeGreaterThan(100);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(5);
    for (const { name, text } of [...logs, { name: 'the agent', text: said }])
      expect(text.includes(secret), `${secret} in ${name}`).toBe(false);
  }
  // Nor a digest of a number, of which there are few enough to try all.
  expect(logOf('lookup')).toContain('"looked up"');
  expect(logOf('lookup')).not.toMatch(/[0-9a-f]{64}/);
  expect(logOf('apply')).toContain(`"correlationId":"${runId}"`);
});
