import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Sessions, sessionsFile } from '../../cli/people/sessions.ts';
import type { Ran } from '../fixtures/programs.ts';

/** `npm start`, as a process of its own. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'storeline-demo-'));
const kept = join(dir, 'kept');
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const env = { ...process.env, XDG_CONFIG_HOME: join(dir, 'settings') };
const start = (...args: string[]) =>
  spawn(process.execPath, ['local/demo.ts', ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });

async function demo(...args: string[]): Promise<Ran> {
  const child = start(...args);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

interface Result {
  readonly complete: boolean;
  readonly api: string;
  readonly stores: {
    readonly storeId: string;
    readonly complete: boolean;
    readonly kind: string;
    readonly components: { component: string; status: string; rows: number; certificate: object | null }[];
    readonly transfer: { requests: number; bytes: number; chunksFetched: number };
  }[];
}

async function demoOnce(): Promise<Result> {
  const { code, stdout, stderr } = await demo('--once', '--json', '--customers', '200', '--dir', kept);
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}: ${stderr.slice(-3_000)}`);
  return JSON.parse(stdout) as Result;
}

const NOTHING_NEW = ['COMPLETED_NO_CHANGES', 'NOT_ENABLED', 'NOT_USED'];

test('the second start finds everything there and transfers nothing', async () => {
  const first = await demoOnce();
  expect(first.complete).toBe(true);
  expect(first.stores.map(({ storeId, kind, complete }) => [storeId, kind, complete])).toEqual([
    ['store-001', 'fresh', true],
    ['store-002', 'fresh', true],
  ]);
  // Somebody signed in to it, as the README shows: what a demo does it does by itself, and the provider of that sign-in is gone.
  const gone = { issuer: 'http://127.0.0.1:9', clientId: 'cli', accessToken: 'at', refreshToken: null, expiresAt: 0 };
  const person = { name: 'viewer', subject: 'viewer', signedInAt: '2026-11-29T10:00:00.000Z' };
  new Sessions(sessionsFile(env)).write(`dir:${join(kept, 'cloud')}`, { ...gone, ...person });
  const second = await demoOnce();
  expect(second.complete).toBe(true);
  expect(second.api).toBe(first.api);
  for (const [index, store] of second.stores.entries()) {
    const before = first.stores[index];
    expect(store).toMatchObject({ kind: 'delta', complete: true, transfer: { chunksFetched: 0 } });
    expect(store.components.filter(({ status }) => !NOTHING_NEW.includes(status))).toEqual([]);
    // The same rows, and the very certificates of the first start.
    expect(store.components.map(({ component, rows, certificate }) => ({ component, rows, certificate }))).toEqual(
      before?.components.map(({ component, rows, certificate }) => ({ component, rows, certificate })),
    );
  }
});

test('the tour shows a delta, a store that fails and gets over it, and a repair of what differs', async () => {
  const { code, stdout, stderr } = await demo('--once', '--tour', '--json', '--customers', '200', '--dir', kept);
  expect(stderr).toMatch(/preview: 1 to add, 1 to change/);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    complete: true,
    tour: {
      delta: { kind: 'delta', changed: ['Customer'] },
      failed: { state: 'FAILED', reason: 'CONNECTIVITY' },
      recovered: { kind: 'delta' },
      repair: { add: 1, change: 1, remove: 0 },
      complete: true,
    },
  });
});

test('the port of the first start is kept, and when it is taken the demo says so', async () => {
  const folder = join(dir, 'port-taken');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  mkdirSync(folder);
  writeFileSync(join(folder, 'port'), String(port));
  const { code, stdout, stderr } = await demo('--once', '--json', '--customers', '200', '--dir', folder);
  server.close();
  expect(stderr).toMatch(new RegExp(`^LOCAL_STACK: .*${port}`, 'm'));
  expect(stderr).toMatch(new RegExp(`^The demo failed: .* If it is port ${port}: --port takes another one`, 'm'));
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(readFileSync(join(folder, 'port'), 'utf8')).toBe(String(port));
  expect(readdirSync(join(folder, 'cloud'))).not.toContain('stack.json');
});

test.each<[string, string[], number, RegExp]>([
  ['customers that are no number', ['--customers', 'many'], 2, /^--customers is a whole number up to 10000000, not many$/m],
  ['a port that is none', ['--port', '70000'], 2, /^--port is a whole number up to 65535, not 70000$/m],
  ['an unknown option', ['--colour'], 2, /Unknown option '--colour'/],
  ['a folder that is a file', ['--once', '--dir', join(ROOT, 'package.json')], 2, /^--dir .*package\.json is a file; give a folder$/m],
])('%s', async (_, args, code, says) => {
  const ran = await demo(...args);
  expect(ran.stderr).toMatch(says);
  expect(ran.stderr).not.toMatch(/^\s+at /m);
  expect(ran).toMatchObject({ code, stdout: '' });
});

/** Processes below this one, from the operating system. */
function descendants(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] => pairs.filter(([, ppid]) => ppid === parent).flatMap(([own = 0]) => [own, ...below(own)]);
  return below(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['while it generates', /is up on this machine/, 1_000],
  ['while a store logs on', /store-001 \(clienteling\) logs on/, 300],
  ['when it is up', /Ctrl-C ends it/, 0],
])('a demo killed %s leaves no process behind, and the next start goes on from there', async (_, said, afterMs) => {
  const folder = join(dir, 'killed');
  const child = start('--customers', '1000', '--dir', folder);
  let stderr = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  await expect.poll(() => stderr, { timeout: 240_000 }).toMatch(said);
  await sleep(afterMs);
  const below = descendants(child.pid ?? 0);
  expect(below.length).toBeGreaterThan(afterMs === 0 ? 0 : 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => below.filter(isAlive), { timeout: 8_000 }).toEqual([]);
});
