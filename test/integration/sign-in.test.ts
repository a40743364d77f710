import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renew } from '../../cli/people/provider.ts';
import { type Session, Sessions, sessionsFile } from '../../cli/people/sessions.ts';
import { must } from '../../protocol/assert.ts';
import { Browser } from '../fixtures/browser.ts';
import { type Ran, type RunningStack, agent, json, startStack, storeline, storelineIn, tokenOf } from '../fixtures/programs.ts';

/** People sign in as they do: the command line, a browser, the provider's own page, and commands in their name afterwards. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-sign-in-'));
const at = (name: string) => join(dir, name);
const cloud = at('cloud');
const IN_CLOUD = ['--dir', cloud];
let running: RunningStack;

/** The settings of one person of this machine. */
const envOf = (who: string, more: object = {}): NodeJS.ProcessEnv => ({ ...process.env, XDG_CONFIG_HOME: at(who), ...more });
const sessionsOf = (who: string) => new Sessions(sessionsFile(envOf(who)));
const office = () => `dir:${cloud}`;
const as = (who: string, ...args: string[]) => storelineIn(envOf(who), ...args, ...IN_CLOUD);

interface SignIn {
  readonly address: URL;
  readonly ended: Promise<Ran>;
}

async function beginSignIn(who: string, place = cloud): Promise<SignIn> {
  const args = ['cli/main.ts', 'sign-in', '--dir', place, '--no-browser', '--json'];
  const child = spawn(process.execPath, args, { env: envOf(who), stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  for await (const line of createInterface({ input: child.stderr })) {
    stderr += `${line}\n`;
    if (line.trim().startsWith('http')) break;
  }
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  const address = /http:\S+/.exec(stderr)?.[0];
  if (address === undefined) throw new Error(`no address was said: ${stderr}`);
  return { address: new URL(address), ended };
}

/** The last page that the browser sees, and what the command line says. */
async function signIn(
  who: string,
  person: string,
  { browser = new Browser(), place = cloud } = {},
): Promise<Ran & { readonly page: string }> {
  const { address, ended } = await beginSignIn(who, place);
  const asked = await browser.go(address);
  const { text } = await browser.go(asked.url, { person });
  return { ...(await ended), page: text };
}

beforeAll(async () => {
  const demo = JSON.parse(readFileSync(join(import.meta.dirname, '../../orgs/demo.json'), 'utf8')) as object;
  writeFileSync(at('org.json'), JSON.stringify({ ...demo, approval: { storesMin: 1 } }));
  running = await startStack(cloud, '--org', at('org.json'));
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('an operator signs in', () => {
  let ran: Awaited<ReturnType<typeof signIn>>;
  beforeAll(async () => {
    ran = await signIn('olga', 'operator');
  });

  test('head office is asked who they are before anybody is told so', async () => {
    expect(ran.page).toContain('You are signed in');
    expect(JSON.parse(ran.stdout)).toMatchObject({ name: 'operator@storeline.example', role: 'operator', organization: 'demo' });
    expect(JSON.parse((await as('olga', 'whoami', '--json')).stdout)).toMatchObject({
      via: 'SIGN_IN',
      subject: 'operator',
      role: 'operator',
    });
  });

  test('and may do from then on what an operator may, in their own name', async () => {
    expect((await as('olga', 'sync', 'status', '--json')).code).toBe(0);
    const refused = await as('olga', 'store', 'add', 'S9', '--edition', 'core');
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringContaining('needs the role admin') as string });
    const { entries } = await json<{ entries: { op: string; who: string }[] }>(storeline('audit', '--json', ...IN_CLOUD));
    expect(entries.find(({ op }) => op === 'store.add')).toMatchObject({
      who: 'operator (operator)',
      role: 'operator',
      outcome: 'FORBIDDEN',
    });
  });

  test('unless something else is said with the command', async () => {
    expect((await as('olga', 'audit', '--json')).code).toBe(4);
    expect((await as('olga', 'audit', '--json', '--aws')).code).toBe(0);
    const env = envOf('olga', { STORELINE_TOKEN: await tokenOf(running.stack, 'viewer') });
    expect(JSON.parse((await storelineIn(env, 'whoami', '--json', ...IN_CLOUD)).stdout)).toMatchObject({ via: 'TOKEN', role: 'viewer' });
    expect(JSON.parse((await storelineIn(env, 'whoami', '--json', '--aws', ...IN_CLOUD)).stdout)).toMatchObject({ via: 'AWS' });
  });

  test('which nobody else of this machine can read, and no log has', () => {
    const { accessToken, refreshToken } = must(sessionsOf('olga').read(office()), 'olga is signed in');
    expect(statSync(sessionsFile(envOf('olga'))).mode & 0o777).toBe(0o600);
    const logs = readdirSync(join(cloud, 'logs')).map((name) => readFileSync(join(cloud, 'logs', name), 'utf8'));
    for (const secret of [accessToken, refreshToken ?? '-'])
      for (const text of [...logs, ran.stdout, ran.stderr]) expect(text.includes(secret)).toBe(false);
  });

  test('a token that has run out is renewed once for all commands that run at the same time', async () => {
    const before = must(sessionsOf('olga').read(office()), 'olga is signed in');
    sessionsOf('olga').write(office(), { ...before, expiresAt: 0 });
    // The provider takes a refresh token once, and ends the whole sign-in when it comes again.
    const runs = await Promise.all(Array.from({ length: 4 }, () => as('olga', 'store', 'list', '--json')));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const after = must(sessionsOf('olga').read(office()), 'olga is signed in');
    expect(after.refreshToken).not.toBe(before.refreshToken);
    expect((await as('olga', 'whoami')).code).toBe(0);
  });

  test('until they sign out, which the provider is told', async () => {
    const { issuer, clientId, refreshToken } = must(sessionsOf('olga').read(office()), 'olga is signed in');
    expect(JSON.parse((await as('olga', 'sign-out', '--json')).stdout)).toMatchObject({ signedOut: true, revoked: true });
    expect(sessionsOf('olga').read(office())).toBeNull();
    expect(await renew({ issuer, clientId }, refreshToken ?? '')).toBeNull();
    expect(JSON.parse((await as('olga', 'sign-out', '--json')).stdout)).toEqual({ signedOut: false });
    expect(JSON.parse((await as('olga', 'whoami', '--json')).stdout)).toMatchObject({ via: 'AWS' });
  });
});

test('another person at the same browser says who they are again', async () => {
  const browser = new Browser();
  expect(JSON.parse((await signIn('one', 'viewer', { browser })).stdout)).toMatchObject({ role: 'viewer' });
  expect(JSON.parse((await signIn('one', 'admin', { browser })).stdout)).toMatchObject({ role: 'admin' });
});

test('two wait at once, and each gets who came back to it', async () => {
  const [one, two] = [await beginSignIn('w1'), await beginSignIn('w2')];
  const browsers = [new Browser(), new Browser()] as const;
  const go = async (browser: Browser, address: URL, person: string) => browser.go((await browser.go(address)).url, { person });
  await go(browsers[1], two.address, 'viewer');
  await go(browsers[0], one.address, 'operator');
  expect(JSON.parse((await one.ended).stdout)).toMatchObject({ role: 'operator' });
  expect(JSON.parse((await two.ended).stdout)).toMatchObject({ role: 'viewer' });
});

test('who comes back without having signed in, or with a code of nobody, is nobody', async () => {
  const denied = await beginSignIn('nobody');
  const back = (address: URL, query: Record<string, string>) => {
    const url = new URL(address.searchParams.get('redirect_uri') ?? '');
    url.search = new URLSearchParams({
      state: address.searchParams.get('state') ?? '',
      iss: running.stack.identity.issuer,
      ...query,
    }).toString();
    return new Browser().go(url);
  };
  expect((await back(denied.address, { error: 'access_denied', error_description: 'not today' })).text).toContain('You are not signed in');
  expect(await denied.ended).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('not today') as string });
  const guessed = await beginSignIn('nobody');
  expect((await back(guessed.address, { code: 'guessed' })).text).toContain('You are not signed in');
  expect(await guessed.ended).toMatchObject({ code: 4, stdout: '' });
  expect(sessionsOf('nobody').read(office())).toBeNull();
});

test('what reaches every store is asked for by one who signed in and approved by another', async () => {
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--edition', 'core', '--json', ...IN_CLOUD));
  await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', at('S1'), '--json'));
  await signIn('ann', 'admin');
  await signIn('bob', 'other-admin');
  writeFileSync(at('c.csv'), 'user_id,firstname\n7,Ann\n');
  await json(as('ann', 'import', 'customer', at('c.csv'), '--json'));
  const asked = await as('ann', 'erase', 'customer', '7', '--reason', 'asked for it', '--json');
  expect(asked).toMatchObject({ code: 3 });
  const { undertaking } = JSON.parse(asked.stdout) as { undertaking: { undertakingId: string } };
  const approve = ['approvals', 'approve', undertaking.undertakingId];
  expect(await as('ann', ...approve)).toMatchObject({ code: 4 });
  expect(await as('bob', ...approve)).toMatchObject({ code: 0, stdout: expect.stringContaining('Approved. admin (admin)') as string });
  const done = await as('ann', 'erase', 'customer', '7', '--reason', 'asked for it', '--approval', undertaking.undertakingId, '--json');
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ deleted: 1 });
});

test('a sign-in that the provider has ended is an error, and no other name in its place', async () => {
  await signIn('eve', 'viewer');
  const before = must(sessionsOf('eve').read(office()), 'eve is signed in');
  const write = (more: Partial<Session>) => sessionsOf('eve').write(office(), { ...before, ...more });
  write({ expiresAt: 0, refreshToken: 'of nobody' });
  for (const command of [['whoami'], ['store', 'list']]) {
    const ran = await as('eve', ...command);
    expect(ran).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('storeline sign-in') as string });
  }
  // What a stack that was started again makes of it: another provider.
  write({ issuer: 'http://127.0.0.1:9' });
  expect(await as('eve', 'store', 'list')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('another identity provider') as string,
  });
  expect(await as('eve', 'store', 'list', '--aws')).toMatchObject({ code: 0 });
  expect((await as('eve', 'sign-out')).stderr).toContain('not taken back');
  expect(await as('eve', 'whoami', '--json')).toMatchObject({ code: 0 });
});

test('nobody signs in to a stack that is not up, or without saying to which', async () => {
  const env = envOf('olga');
  expect(await storelineIn(env, 'sign-in', '--no-browser')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('say which head office') as string,
  });
  const down = await storelineIn(env, 'sign-in', '--no-browser', '--dir', at('nothing'));
  expect(down).toMatchObject({ code: 1, stderr: expect.stringContaining('npm start') as string });
});

test('where an organization has a provider of its own, this machine stands in for it', async () => {
  const demo = JSON.parse(readFileSync(join(import.meta.dirname, '../../orgs/demo.json'), 'utf8')) as object;
  const identity = { issuer: 'https://people.example', audience: 'urn:console', clientId: 'cli' };
  writeFileSync(at('own.json'), JSON.stringify({ ...demo, identity }));
  const own = await startStack(at('own'), '--org', at('own.json'));
  try {
    expect(JSON.parse((await signIn('own', 'viewer', { place: at('own') })).stdout)).toMatchObject({ role: 'viewer' });
    expect(must(sessionsOf('own').read(`dir:${at('own')}`), 'they are signed in')).toMatchObject({ clientId: 'cli' });
  } finally {
    await own.stop();
  }
  // Also when the stack is not up any more, which every other command of theirs would ask for.
  const signOut = () => storelineIn(envOf('own'), 'sign-out', '--dir', at('own'), '--json');
  expect(JSON.parse((await signOut()).stdout)).toMatchObject({ signedOut: true, revoked: false });
  expect(JSON.parse((await signOut()).stdout)).toEqual({ signedOut: false });
});
