import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../protocol/assert.ts';
import { AwsAccount } from '../fixtures/aws-account.ts';
import { type Ran, type RunningStack, agent, json, startStack, storeline, storelineIn } from '../fixtures/programs.ts';

/**
 * The command lines used wrongly, or at the wrong moment: an exit code, one line that says what to do, and nothing changed. Answers are
 * JSON on standard output under `--json`; errors are text on standard error with or without it.
 */
const dir = mkdtempSync(join(tmpdir(), 'storeline-wrong-'));
const at = (name: string) => join(dir, name);
const cloud = at('cloud');

/** Every file and folder with its content. */
function contents(folder: string): Record<string, string | null> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    paths.map((path) => [path, statSync(join(folder, path)).isFile() ? readFileSync(join(folder, path), 'latin1') : null]),
  );
}

/** It failed with this code, the reason stands in one line, and nothing else is there but what helps. */
function expectRefusal({ code, stdout, stderr }: Ran, wanted: { code: number; says: RegExp }): void {
  expect(stderr.split('\n').filter((line) => wanted.says.test(line))).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+/m);
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
  expect(stdout).toBe('');
  expect(code).toBe(wanted.code);
}

beforeAll(() => {
  writeFileSync(at('good.csv'), 'user_id,status\n1,MARKED\n');
  writeFileSync(at('twice.csv'), 'user_id,status,user_id\n1,MARKED,1\n');
  writeFileSync(at('unknown-column.csv'), 'user_id,colour\n1,red\n');
  writeFileSync(at('unknown-field.map.json'), '{"targets":[{"collection":"fraud_user","fields":{"colour":{"column":"user_id"}}}]}');
  writeFileSync(at('unknown-collection.map.json'), '{"targets":[{"collection":"nobody","fields":{"colour":{"column":"user_id"}}}]}');
  writeFileSync(at('other-columns.map.json'), '{"targets":[{"collection":"fraud_user","fields":{"user_id":{"column":"number"}}}]}');
  writeFileSync(at('broken.map.json'), '{"targets":');
  writeFileSync(at('file'), 'not a folder');
  mkdirSync(at('folder.csv'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const importOf = (file: string, ...more: string[]) => ['import', 'fraud_user', at(file), '--dir', cloud, ...more];

describe('known to be wrong before anything is started', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['an unknown option', ['components', '--colour'], /unknown option '--colour'/],
    ['no head office', ['import', 'fraud_user', at('good.csv')], /say which head office: --dir <folder> .* or --org <name>/],
    ['two head offices', ['store', 'list', '--dir', cloud, '--org', 'demo'], /'--org <name>' cannot be used with option '--dir <folder>'/],
    ['no file', ['import', 'fraud_user', '--dir', cloud], /missing required argument 'file'/],
    ['an unknown collection', ['import', 'nobody', at('good.csv'), '--dir', cloud], /no collection "nobody"; there are fraud_user, /],
    ['an unknown collection to count', ['records', 'count', 'nobody', '--dir', cloud], /no collection "nobody"/],
    ['a file that is not there', importOf('missing.csv'), /missing\.csv does not exist or cannot be read/],
    ['a folder in place of a file', importOf('folder.csv'), /folder\.csv is a folder, not a CSV, NDJSON or SQLite file/],
    ['a column twice', importOf('twice.csv'), /twice\.csv has two columns named "user_id"/],
    ['a column that is no field', importOf('unknown-column.csv'), /fraud_user has no field colour\. Name the columns after its fields/],
    ['a mapping that is not there', importOf('good.csv', '--map', at('missing.map.json')), /missing\.map\.json cannot be read/],
    ['a mapping that is not JSON', importOf('good.csv', '--map', at('broken.map.json')), /broken\.map\.json is not JSON/],
    ['a mapping with an unknown field', importOf('good.csv', '--map', at('unknown-field.map.json')), /fraud_user has no field colour/],
    [
      'a mapping with an unknown collection',
      importOf('good.csv', '--map', at('unknown-collection.map.json')),
      /there is no collection nobody/,
    ],
    [
      'a mapping for other columns',
      importOf('good.csv', '--map', at('other-columns.map.json')),
      /needs the columns number; the file has user_id, status/,
    ],
    ['a folder that is a file', ['store', 'list', '--dir', at('file')], /--dir .*file is a file; give the folder of a local stack/],
    ['a stack in a file', ['local', '--dir', at('file')], /--dir .*file is a file; give the folder of a local stack/],
    ['a port that is a word', ['local', '--dir', cloud, '--port', 'http'], /--port http is not a port: a number from 0 to 65535/],
    ['a port that is too large', ['local', '--dir', cloud, '--port', '65536'], /--port 65536 is not a port/],
    ['an unknown edition', ['store', 'add', 'S1', '--edition', 'gold', '--dir', cloud], /--edition is core or clienteling, not gold/],
    ['a store id with a blank', ['store', 'add', 'S 1', '--dir', cloud], /the store id: letters, digits/],
    ['customers that are no number', ['generate', '--customers', 'many', '--dir', cloud], /--customers is a whole number, not many/],
  ])('%s', async (_, args, says) => {
    const before = contents(dir);
    expectRefusal(await storeline(...args), { code: 2, says });
    expect(contents(dir)).toEqual(before);
  });

  test('errors are text under --json too', async () => {
    const before = contents(dir);
    expectRefusal(await storeline(...importOf('twice.csv', '--json')), { code: 2, says: /^INVALID_INPUT: .*two columns named "user_id"/ });
    expect(contents(dir)).toEqual(before);
  });

  test.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['frobnicate'], 2, /unknown command 'frobnicate'/],
    ['logon before enrolment', ['logon', '--data', at('store')], 1, /^NOT_ENROLLED: .* run `agent enrol` with a code from head office/],
    ['logon before enrolment, as JSON', ['logon', '--data', at('store'), '--json'], 1, /^NOT_ENROLLED: /],
    [
      'an address that is none',
      ['enrol', '--api', 'head office', '--code', 'A', '--data', at('store')],
      2,
      /--api: not a URL that starts with https/,
    ],
  ])('agent: %s', async (_, args, code, says) => {
    expectRefusal(await agent(...args), { code, says });
    // An agent that was about to enrol has made its folder, and nothing that a store has is in it.
    expect(Object.keys(contents(dir)).filter((path) => /identity|replica/.test(path))).toEqual([]);
  });
});

test('a port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const folder = at('port-taken');
  const { code, stdout, stderr } = await storeline('local', '--dir', folder, '--port', String(port));
  server.close();
  expect(stderr).toMatch(new RegExp(`^LOCAL_STACK: .*${port}`, 'm'));
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(readdirSync(folder)).not.toContain('stack.json');
});

interface Standing {
  readonly run: object;
  readonly components: readonly { component: string; rows: number; certificate: object | null; feeds: object[] }[];
}

describe('with a cloud', () => {
  const data = at('S1');
  let running: RunningStack;
  let code: string;

  beforeAll(async () => {
    running = await startStack(cloud);
    ({ code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--edition', 'core', '--dir', cloud, '--json')));
  });
  afterAll(async () => running.stop());
  const stores = () => json<{ stores: { edition: string; replicas: object[] }[] }>(storeline('store', 'list', '--dir', cloud, '--json'));

  test('a second stack in the same folder', async () => {
    const ran = await storeline('local', '--dir', cloud);
    expectRefusal(ran, { code: 1, says: /^LOCAL_STACK: another local stack \(process \d+\) runs on .*Stop it, or give another --dir\.$/ });
    expect((await stores()).stores).toHaveLength(1);
  });

  test('a store that is there already stays as it is, and so does its code', async () => {
    const before = await stores();
    const ran = await storeline('store', 'add', 'S1', '--edition', 'clienteling', '--dir', cloud, '--json');
    expectRefusal(ran, { code: 2, says: /^ALREADY_EXISTS: .*S1/ });
    expect(await stores()).toEqual(before);
  });

  test('by the name of an organization it is the same head office, in its account and no other', async () => {
    const account = new AwsAccount();
    account.lambda = running.stack.endpoints.lambda;
    const orgs = at('orgs');
    const env = { ...process.env, ...account.environment(await account.start()), STORELINE_ORGS: orgs };
    const list = () => storelineIn(env, 'store', 'list', '--org', 'demo', '--json');
    expectRefusal(await list(), {
      code: 1,
      says: /^NOT_READY: this machine knows of no deployment of demo; `storeline org outputs demo --refresh`/,
    });
    const outputs = { FunctionConsoleApi: must(running.stack.functions['console-api'], 'it has a console'), Organization: 'demo' };
    const deployed = {
      organization: 'demo',
      stack: 'storeline-demo',
      account: account.id,
      region: 'eu-west-2',
      readAt: '2026-01-01T00:00:00Z',
      outputs,
    };
    mkdirSync(join(orgs, '.outputs'), { recursive: true });
    const put = (change: object) => writeFileSync(join(orgs, '.outputs', 'demo.json'), JSON.stringify({ ...deployed, ...change }));
    put({});
    expect(await json(list())).toEqual(await stores());
    put({ account: '999999999999' });
    expectRefusal(await list(), { code: 4, says: /^AWS_ACCOUNT: head office does not allow it/ });
    account.stop();
  });

  test('a record that is not there', async () => {
    expectRefusal(await storeline('records', 'get', 'fraud_user', '77', '--dir', cloud, '--json'), {
      code: 2,
      says: /^NOT_FOUND: fraud_user 77 /,
    });
  });

  test('a wrong code enrols nobody, and the right one is still good', async () => {
    const before = await stores();
    const ran = await agent('enrol', '--api', running.stack.api, '--code', `${code}X`, '--data', data, '--json');
    expectRefusal(ran, { code: 4, says: /^CODE_INVALID: / });
    expect(readdirSync(data)).not.toContain('identity.json');
    expect(await stores()).toEqual(before);
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'));
    expect((await stores()).stores[0]?.replicas).toHaveLength(1);
  });

  test('a code is good once, and a folder is one store', async () => {
    const before = await stores();
    const identity = readFileSync(join(data, 'identity.json'), 'utf8');
    expectRefusal(await agent('enrol', '--api', running.stack.api, '--code', code, '--data', at('S2'), '--json'), {
      code: 4,
      says: /^CODE_INVALID: /,
    });
    expectRefusal(await agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'), {
      code: 1,
      says: /^ALREADY_EXISTS: this data folder belongs to store S1 already; use another folder/,
    });
    expect(readFileSync(join(data, 'identity.json'), 'utf8')).toBe(identity);
    expect(await stores()).toEqual(before);
  });

  test('logon while the cloud does not run changes nothing, and the next one is fine', async () => {
    const imported = await json(storeline('import', 'fraud_user', at('good.csv'), '--dir', cloud, '--json'));
    expect(imported).toMatchObject({ read: 1, written: 1 });
    await json(agent('logon', '--data', data, '--wait', '--json'));
    const { api } = running.stack;
    const status = async () => json<Standing>(agent('status', '--data', data, '--json'));
    const held = async () =>
      (await status()).components.map(({ component, rows, certificate, feeds }) => ({ component, rows, certificate, feeds }));
    const count = async () => json(agent('records', 'count', 'fraud_user', '--data', data, '--json'));
    const before = [await held(), await count()];
    await running.stop();
    const ran = await agent('logon', '--data', data, '--json');
    expect(ran.stderr).toMatch(/^CONNECTIVITY: /m);
    expect(ran.stderr).not.toMatch(/^\s+at /m);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect([await held(), await count()]).toEqual(before);
    expect((await status()).run).toMatchObject({ kind: 'delta', state: 'FAILED', failure: { reason: 'CONNECTIVITY' } });
    running = await startStack(cloud, '--port', new URL(api).port);
    expect(await json(agent('logon', '--data', data, '--json'))).toMatchObject({ complete: true });
  });
});
