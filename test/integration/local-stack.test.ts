/** The demo organization's real functions in the local stack, run as the command line runs it: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalStack, localStackSchema, localStateSchema } from '../../protocol/local-stack.ts';
import { consoleResponseSchemas } from '../../protocol/messages/console.ts';

const MAIN = join(import.meta.dirname, '../../local/main.ts');
let dir: string;
let child: ChildProcess;
let stack: LocalStack;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'storeline-stack-'));
  await start();
});

afterAll(async () => {
  child.kill('SIGKILL');
  await sleep(200);
  await rm(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  child = spawn(process.execPath, [MAIN, '--dir', dir, '--org', 'demo', '--hour', '1s', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    stack = localStackSchema.parse(JSON.parse(line));
    return;
  }
  throw new Error('the stack ended without saying that it is up');
}

async function call(name: string, request: object): Promise<unknown> {
  const client = new LambdaClient({
    endpoint: stack.endpoints.lambda,
    region: stack.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const answer = await client.send(new InvokeCommand({ FunctionName: stack.functions[name], Payload: JSON.stringify(request) }));
  const payload = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError !== undefined) throw new Error(payload);
  return JSON.parse(payload);
}

async function write(from: number, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, index) => ({ user_id: String(from + index), status: 'MARKED' }));
  const { outcomes } = consoleResponseSchemas['records.write'].parse(
    await call('console-api', { op: 'records.write', collection: 'fraud_user', puts }),
  );
  expect(outcomes.filter(({ outcome }) => outcome !== 'written')).toEqual([]);
}

async function idle(): Promise<void> {
  for (;;) {
    const answer = await fetch(`${stack.api}/_local/state`);
    if (localStateSchema.parse(await answer.json()).idle) return;
    await sleep(50);
  }
}

async function compact(): Promise<{ rows: number; root: string } | undefined> {
  await idle();
  const { feeds } = (await call('compact', {})) as { feeds: { feed: string; rows: number; root: string }[] };
  return feeds.find(({ feed }) => feed === 'Fraud Users List@org');
}

test('what is written reaches a feed and a snapshot', async () => {
  await write(1, 300);
  expect((await compact())?.rows).toBe(300);
  const { feeds } = consoleResponseSchemas['feeds.list'].parse(await call('console-api', { op: 'feeds.list' }));
  expect(feeds).toMatchObject([{ feed: 'Fraud Users List@org', snapshot: { rows: 300 } }]);
});

test('a kill in the middle of work loses nothing, and the emulator goes too', async () => {
  await write(1_001, 500);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => fetch(stack.endpoints.dynamodb).catch((error: Error) => error.message)).toBe('fetch failed');
  await start();
  expect((await compact())?.rows).toBe(800);
});

test('the page shows stores and feeds, and shows names as text', async () => {
  await call('console-api', { op: 'store.add', storeId: 'S1', name: '<script>alert(1)</script>' });
  const page = await (await fetch(stack.console)).text();
  expect(page).toContain('S1');
  expect(page).toContain('Fraud Users List@org');
  expect(page).not.toContain('<script');
});

test('stops in a moment when asked to, and takes its file with it', async () => {
  expect(existsSync(join(dir, 'stack.json'))).toBe(true);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
  expect(existsSync(join(dir, 'stack.json'))).toBe(false);
});

test.each([
  [['--port', 'abc'], 2, /--port abc/],
  [['--org', 'nobody'], 2, /no organization nobody/],
  [['--hour', 'never'], 2, /--hour never is not a duration/],
  [['--colour', 'red'], 2, /colour/],
])('%j ends with %d and says why', async (args, code, message) => {
  const failing = spawn(process.execPath, [MAIN, '--dir', join(dir, 'other'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [ended]] = await Promise.all([text(failing.stderr), once(failing, 'exit') as Promise<[number]>]);
  expect(said).toMatch(message);
  expect(ended).toBe(code);
});
