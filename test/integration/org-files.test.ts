import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { json, storeline } from '../fixtures/programs.ts';

/** Files of organizations: `storeline org create`, `validate` and `list`, none of which needs an AWS account. */
const orgs = mkdtempSync(join(tmpdir(), 'storeline-orgs-'));
afterAll(() => rmSync(orgs, { recursive: true }));

const REQUIRED = ['--region', 'eu-west-1', '--time-zone', 'Europe/Dublin', '--currency', 'EUR'];
const create = (name: string, ...more: string[]) => storeline('org', 'create', name, ...REQUIRED, ...more, '--orgs', orgs);
const put = (name: string, settings: object | string) =>
  writeFileSync(join(orgs, `${name}.json`), typeof settings === 'string' ? settings : JSON.stringify(settings));

test('a new organization has what was said and nothing else, and what is there is never written over', async () => {
  const { code, stdout } = await create('acme', '--account', '111122223333', '--scope', 'Customer=working-set', '--no-retain-data');
  expect(stdout).toMatch(/org validate acme[\s\S]*org plan acme[\s\S]*org deploy acme/);
  expect(code).toBe(0);
  const file = join(orgs, 'acme.json');
  const written = readFileSync(file, 'utf8');
  expect(JSON.parse(written)).toEqual({
    name: 'acme',
    displayName: 'acme',
    region: 'eu-west-1',
    account: '111122223333',
    timeZone: 'Europe/Dublin',
    currency: 'EUR',
    scopes: { Customer: 'working-set' },
    retainData: false,
  });
  const again = await create('acme', '--display-name', 'Another');
  expect(again).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^ALREADY_EXISTS: .*acme\.json/) as string });
  expect(readFileSync(file, 'utf8')).toBe(written);
  expect(await json(storeline('org', 'list', '--orgs', orgs, '--json'))).toEqual({
    organizations: [{ name: 'acme', displayName: 'acme', region: 'eu-west-1', account: '111122223333', deployedAt: null }],
  });
});

test.each([
  ['a name with capitals', ['create', 'Acme', ...REQUIRED], /at name/],
  ['no region', ['create', 'one', '--time-zone', 'Europe/Dublin', '--currency', 'EUR'], /--region/],
  ['a currency that is none', ['create', 'one', ...REQUIRED, '--currency', 'euro'], /ISO 4217.*\n.*at currency/],
  ['a number that is none', ['create', 'one', ...REQUIRED, '--compaction-minutes', 'often'], /at compactionMinutes/],
  ['half an identity provider', ['create', 'one', ...REQUIRED, '--identity-issuer', 'https://id.example'], /at identity\.audience/],
  ['an account that is none', ['create', 'one', ...REQUIRED, '--account', '12'], /at account/],
  ['a scope that cannot be', ['create', 'one', ...REQUIRED, '--scope', 'Stores=working-set'], /at scopes/],
  ['half a scope', ['create', 'one', ...REQUIRED, '--scope', 'Customer'], /--scope is a component and a choice/],
  ['an unknown organization', ['validate', 'nobody'], /there is no organization nobody/],
])('%s is refused, and nothing is written', async (_, args, says) => {
  const before = readdirSync(orgs);
  const ran = await storeline('org', ...args, '--orgs', orgs);
  expect(ran).toMatchObject({ code: 2, stdout: '' });
  expect(ran.stderr).toMatch(says);
  expect(ran.stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(readdirSync(orgs)).toEqual(before);
});

test('validate names every field that is wrong in every file, and makes the template of those that are right', async () => {
  const acme = JSON.parse(readFileSync(join(orgs, 'acme.json'), 'utf8')) as object;
  put('bad', { ...acme, name: 'bad', currency: 'pounds', compactionMinutes: 1, colour: 'red' });
  put('another', acme);
  put('broken', '{"name":');
  const { code, stdout } = await storeline('org', 'validate', '--orgs', orgs, '--json');
  const { valid, organizations } = JSON.parse(stdout) as {
    valid: boolean;
    organizations: { file: string; name: string | null; problems: { field: string; message: string }[]; findings: object[] }[];
  };
  expect(code).toBe(2);
  expect(valid).toBe(false);
  const fields = Object.fromEntries(
    organizations.map(({ file, problems }) => [file.slice(orgs.length + 1), problems.map(({ field }) => field)]),
  );
  expect(fields).toEqual({
    'acme.json': [],
    'another.json': ['name'],
    'bad.json': ['currency', 'compactionMinutes', ''],
    'broken.json': [''],
  });
  expect(organizations.find(({ name }) => name === 'acme')).toMatchObject({ problems: [], findings: [] });
  for (const name of ['bad', 'another', 'broken']) rmSync(join(orgs, `${name}.json`));
});
