import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../protocol/assert.ts';
import { AwsAccount } from '../fixtures/aws-account.ts';
import { type Ran, json, storelineIn } from '../fixtures/programs.ts';

/**
 * Stacks of organizations by `storeline org`, as a process of its own, with the real CDK and the real SDK, against an account that stands in
 * for AWS. The failures above all: what is refused must not have been begun.
 */
const orgs = mkdtempSync(join(tmpdir(), 'storeline-deploy-'));
const account = new AwsAccount();
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  env = { PATH: process.env['PATH'], HOME: orgs, ...account.environment(await account.start()) };
  account.bootstrapped.set('eu-west-1', '29');
  for (const name of ['one', 'two', 'three']) put(name, {});
  put('elsewhere', { account: '999999999999' });
  put('unready', { region: 'eu-north-1' });
  put('bad', { currency: 'pounds' });
});
afterAll(() => {
  account.stop();
  rmSync(orgs, { recursive: true });
});

function put(name: string, settings: object): void {
  const required = { name, displayName: name, region: 'eu-west-1', timeZone: 'Europe/Dublin', currency: 'EUR' };
  writeFileSync(join(orgs, `${name}.json`), JSON.stringify({ ...required, ...settings }));
}

const org = (...args: string[]) => storelineIn(env, 'org', ...args, '--orgs', orgs);
const changed = () => account.calls.filter((call) => /^(Create|Execute|Delete|Update|Put)/.test(call));

function expectRefusal({ code, stdout, stderr }: Ran, wanted: { code: number; says: RegExp }): void {
  expect(stderr).toMatch(wanted.says);
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+/m);
  expect(stdout).toBe('');
  expect(code).toBe(wanted.code);
  // Found out before a template was made.
  expect(stderr).not.toMatch(/Making/);
  expect(changed()).toEqual([]);
}

describe('refused before anything is begun', () => {
  test('without credentials, and a plan says how to do without', async () => {
    const nobody = { ...env, AWS_ACCESS_KEY_ID: undefined };
    const run = (command: string) => storelineIn(nobody, 'org', command, 'one', '--orgs', orgs);
    for (const command of ['deploy', 'drift', 'destroy', 'plan']) {
      const ran = await (command === 'destroy'
        ? storelineIn(nobody, 'org', command, 'one', '--confirm', 'one', '--orgs', orgs)
        : run(command));
      expectRefusal(ran, { code: 4, says: /^AWS_CREDENTIALS: [\s\S]*Sign in to AWS/ });
      if (command === 'plan') expect(ran.stderr).toMatch(/--offline/);
    }
    expect(account.calls).toEqual([]);
  });

  test('with credentials that are too old', async () => {
    account.faults.refused.set('GetCallerIdentity', 'ExpiredToken');
    expectRefusal(await org('deploy', 'one'), { code: 4, says: /^AWS_CREDENTIALS: / });
    account.faults.refused.clear();
  });

  test('with a role that may not look at stacks', async () => {
    account.faults.refused.set('DescribeStacks', 'AccessDenied');
    expectRefusal(await org('deploy', 'one'), { code: 4, says: /^AWS_ACCOUNT: .*does not allow it/ });
    account.faults.refused.clear();
  });

  test('where nothing answers', async () => {
    const ran = await storelineIn({ ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }, 'org', 'deploy', 'one', '--orgs', orgs);
    expectRefusal(ran, { code: 1, says: /^CONNECTIVITY: AWS does not answer/ });
  });

  test.each<[string, string[], number, RegExp]>([
    ['an account that is another', ['deploy', 'elsewhere'], 4, /^AWS_ACCOUNT: elsewhere belongs to the account 999999999999/],
    ['a region that is not bootstrapped', ['deploy', 'unready'], 1, /^NOT_READY: .*npx cdk bootstrap aws:\/\/111122223333\/eu-north-1/],
    ['one of three that cannot be', ['deploy', 'one', 'unready', 'two'], 1, /^NOT_READY: unready/],
    ['an unknown organization', ['deploy', 'one', 'nobody'], 2, /^INVALID_INPUT: there is no organization nobody/],
    ['a file that does not fit', ['deploy', 'one', 'bad'], 2, /^INVALID_INPUT: [\s\S]*at currency/],
    ['the same one twice', ['deploy', 'one', 'one'], 2, /^INVALID_INPUT: two organizations are named one/],
    ['no organization', ['deploy'], 2, /missing required argument 'org'/],
    ['a wave of nobody', ['deploy', 'one', '--wave-size', '0'], 2, /whole number from 1 to 99/],
    ['a template that is none', ['plan', 'one', '--against', join(orgs, 'nothing.json')], 2, /^INVALID_INPUT: .*is not a template/],
    ['another name typed', ['destroy', 'one', '--confirm', 'two'], 2, /^INVALID_INPUT: "two" is not one; nothing was changed/],
    ['outputs of what is not deployed', ['outputs', 'one'], 1, /^NOT_READY: this machine knows of no deployment of one/],
    ['outputs of what is not there', ['outputs', 'one', '--refresh'], 1, /^NOT_READY: one is not deployed/],
  ])('%s', async (_, args, code, says) => {
    expectRefusal(await org(...args), { code, says });
  });
});

interface Plan {
  readonly comparedWith: string;
  readonly changes: readonly { readonly id: string; readonly change: string }[];
  readonly obstacles: readonly { readonly code: string }[];
}
interface Deployed {
  readonly deployed: string[];
  readonly failed: { readonly name: string; readonly reason: string }[];
  readonly notTried: string[];
}

describe('in waves', () => {
  test('the second of three fails: the first stands, the third is not tried, and everybody is told', async () => {
    account.faults.deploy.add('storeline-two');
    const { code, stdout, stderr } = await org('deploy', 'one', 'two', 'three', '--json');
    const { deployed, failed, notTried } = JSON.parse(stdout) as Deployed;
    expect({ deployed, failed: failed.map(({ name }) => name), notTried }).toEqual({
      deployed: ['one'],
      failed: ['two'],
      notTried: ['three'],
    });
    expect(failed[0]?.reason).toMatch(/out of tables|ROLLBACK/);
    expect(stderr).toMatch(/^DEPLOYMENT_FAILED: two: /m);
    expect(stderr).not.toMatch(/^\s+at |node:internal|\.ts:\d+/m);
    expect(code).toBe(1);
    expect(account.stacks.get('storeline-one')).toMatchObject({ status: 'CREATE_COMPLETE', protected: true });
    expect(account.calls.filter((call) => call.endsWith('storeline-three')).every((call) => /^Describe|^GetTemplate/.test(call))).toBe(
      true,
    );
    expect(existsSync(join(orgs, '.outputs', 'two.json'))).toBe(false);
  });

  test('what is deployed is known afterwards', async () => {
    const written = JSON.parse(readFileSync(join(orgs, '.outputs', 'one.json'), 'utf8')) as object;
    expect(written).toMatchObject({
      stack: 'storeline-one',
      account: account.id,
      region: 'eu-west-1',
      outputs: { Organization: 'one', FunctionConsoleApi: 'storeline-one-console-api' },
    });
    expect(await json(org('outputs', 'one', '--json'))).toEqual(written);
    const { outputs } = await json<{ outputs: object }>(org('outputs', 'one', '--refresh', '--json'));
    expect({ outputs }).toMatchObject({ outputs: (written as { outputs: object }).outputs });
  });

  test('said again, with the fault gone, it does what is left, two at a time, over the remains of the one that failed', async () => {
    account.faults.deploy.clear();
    expect(account.stacks.get('storeline-two')).toMatchObject({ status: 'ROLLBACK_COMPLETE', protected: true });
    const ran = await json<Deployed>(org('deploy', 'two', 'three', '--wave-size', '2', '--json'));
    expect(ran).toEqual({ deployed: ['two', 'three'], failed: [], notTried: [] });
    for (const name of ['two', 'three'])
      expect(account.stacks.get(`storeline-${name}`)).toMatchObject({ status: 'CREATE_COMPLETE', protected: true });
  });
});

describe('of a stack that is there', () => {
  const stack = () => must(account.stacks.get('storeline-one'), 'one is deployed');

  test('a table that would leave it is shown by the plan, and stops a deployment unless it is meant', async () => {
    stack().template.Resources['Old'] = { Type: 'AWS::DynamoDB::GlobalTable' };
    const { changes, obstacles, comparedWith } = await json<Plan>(org('plan', 'one', '--json'));
    expect(comparedWith).toMatch(/deployed in the account 111122223333/);
    expect(changes).toEqual([{ id: 'Old', type: 'AWS::DynamoDB::GlobalTable', change: 'remove' }]);
    expect(obstacles).toMatchObject([{ code: 'NOT_READY' }]);
    const before = changed().length;
    const refused = await org('deploy', 'one', '--json');
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^NOT_READY: one would lose Old/m) as string });
    expect(changed()).toHaveLength(before);
    expect(await json(org('deploy', 'one', '--allow-data-removal', '--json'))).toMatchObject({ deployed: ['one'] });
    expect(stack()).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(stack().template.Resources['Old']).toBeUndefined();
  });

  test('a plan without AWS compares with the last deployment, in the words of the CDK', async () => {
    put('one', { compactionMinutes: 15 });
    const offline = await storelineIn({ ...env, AWS_ACCESS_KEY_ID: undefined }, 'org', 'plan', 'one', '--offline', '--orgs', orgs);
    expect(offline.stdout).toMatch(/-.*rate\(1 hour\)[\s\S]*\+.*rate\(15 minutes\)/);
    expect(offline.stdout).toMatch(/Compared with .*one\.template\.json: 0 to add, \d+ to change, 0 to remove\./);
    expect(offline.code).toBe(0);
  });

  test('while somebody else changes it, nobody does', async () => {
    const { status } = stack();
    stack().status = 'UPDATE_IN_PROGRESS';
    const before = changed().length;
    expect(await org('deploy', 'one')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^NOT_READY: one is being changed/) as string,
    });
    expect(changed()).toHaveLength(before);
    stack().status = status;
  });

  test('what was changed by hand is named, and ends with 1', async () => {
    expect(await json(org('drift', 'one', '--json'))).toMatchObject({ drifted: [] });
    account.drifts.set('storeline-one', [
      { logicalId: 'Doorbell', type: 'AWS::SQS::Queue', status: 'MODIFIED', path: '/VisibilityTimeout' },
    ]);
    const { code, stdout } = await org('drift', 'one', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      drifted: [{ id: 'Doorbell', differences: [{ path: '/VisibilityTimeout', expected: '1', actual: '2' }] }],
    });
    expect(code).toBe(1);
  });

  test.each([
    ['another name', ['--confirm', 'two'], /^INVALID_INPUT: "two" is not one; nothing was changed/m],
    ['the stack’s name', ['--confirm', 'storeline-one'], /^INVALID_INPUT: "storeline-one" is not one/m],
    ['no name, where nobody can type one', [], /^INVALID_INPUT: nothing was changed: say --confirm one/m],
  ])('it is not destroyed by %s', async (_, args, says) => {
    const before = changed().length;
    expect(await org('destroy', 'one', ...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(says) as string });
    expect(changed()).toHaveLength(before);
    expect(stack()).toMatchObject({ protected: true });
  });

  test('if it cannot be destroyed it is protected as before', async () => {
    account.faults.remove.add('storeline-one');
    const ran = await org('destroy', 'one', '--confirm', 'one');
    expect(ran).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^DEPLOYMENT_FAILED: storeline-one could not be removed/m) as string,
    });
    expect(stack()).toMatchObject({ protected: true });
    expect(existsSync(join(orgs, '.outputs', 'one.json'))).toBe(true);
    account.faults.remove.clear();
  });

  test('it is destroyed by its name, and what stays is named', async () => {
    const { kept } = await json<{ kept: { id: string; physicalId: string }[] }>(org('destroy', 'one', '--confirm', 'one', '--json'));
    expect(kept).toContainEqual({ id: 'Records', type: 'AWS::DynamoDB::GlobalTable', physicalId: 'storeline-one-Records' });
    expect(kept.map(({ id }) => id)).toEqual(expect.arrayContaining(['Feeds', 'Stores', 'Audit', 'Uploads', 'Snapshots', 'UploadObjects']));
    expect(account.stacks.has('storeline-one')).toBe(false);
    expect(existsSync(join(orgs, '.outputs', 'one.json'))).toBe(false);
    expect(existsSync(join(orgs, 'one.json'))).toBe(true);
    expect(await org('destroy', 'one', '--confirm', 'one')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^NOT_READY: one is not deployed/) as string,
    });
  });
});
