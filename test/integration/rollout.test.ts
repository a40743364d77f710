import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/**
 * INV-56, INV-57 with real processes: settings are deployed, canary stores get them first, and they go everywhere or stop. An hour has 40 s:
 * the rollout is looked at every 3.3 s, known to a function for 0.7 s, and two failed runs of a store count twice if they are 10 s apart.
 */
const HOUR = 40;
const dir = mkdtempSync(join(tmpdir(), 'storeline-rollout-'));
const cloud = join(dir, 'cloud');
const file = join(dir, 'acme.json');
let running: RunningStack;

const at = (store: string) => join(dir, store);
const canary = { stores: ['S1', 'nobody'], hours: 1 };

/** As a deployment does it: other functions over the same tables. */
async function deploy(settings: object): Promise<void> {
  writeFileSync(
    file,
    JSON.stringify({ name: 'acme', displayName: 'Acme', region: 'eu-west-1', timeZone: 'UTC', currency: 'EUR', canary, ...settings }),
  );
  const port = running === undefined ? [] : ['--port', new URL(running.stack.api).port];
  await running?.stop();
  running = await startStack(cloud, '--org', file, '--hour', `${HOUR}s`, ...port);
}

const rollout = async (...act: string[]) => json<unknown>(storeline('rollout', ...act, '--dir', cloud, '--json'));
const status = async () => consoleResponseSchemas['rollout.status'].parse(await rollout('status'));
const state = async () => (await status()).rollout?.state;
const until = (wanted: string, seconds: number) => expect.poll(state, { timeout: seconds * 1_000, interval: 500 }).toBe(wanted);

interface Shown {
  readonly syncMinutes: number;
  readonly agent: { readonly wanted: string | null; readonly isOther: boolean };
}

/** What a store knows after its next sync. */
async function synced(store: string): Promise<Shown> {
  await json(agent('logon', '--data', at(store), '--wait', '--json'));
  return json<Shown>(agent('status', '--data', at(store), '--json'));
}

beforeAll(async () => {
  await deploy({});
  await json(storeline('generate', '--customers', '20', '--dir', cloud, '--json'));
  for (const store of ['S1', 'S2']) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', store, '--dir', cloud, '--json'));
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', at(store), '--json'));
    expect(await synced(store)).toMatchObject({ syncMinutes: 15, agent: { wanted: null, isOther: false } });
  }
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('settings that do no harm are at the canary store first, and everywhere after their time', async () => {
  // What a first deployment says is in force; nothing is on trial.
  await until('EVERYWHERE', 20);
  await deploy({ syncMinutes: 5 });
  await until('CANARY', 20);
  const startedAt = Date.now();
  expect(await synced('S2')).toMatchObject({ syncMinutes: 15 });
  expect(await synced('S1')).toMatchObject({ syncMinutes: 5 });
  const seen = await status();
  expect(seen.stores.map(({ storeId, standing }) => [storeId, standing])).toEqual([
    ['S1', 'SYNCED'],
    ['nobody', 'SILENT'],
  ]);
  expect(seen.waitsFor).toHaveLength(1);
  await until('EVERYWHERE', 2 * HOUR);
  expect(Date.now() - startedAt).toBeGreaterThan((HOUR - 10) * 1_000);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await synced('S2')).toMatchObject({ syncMinutes: 5 });
  expect(await synced('S1')).toMatchObject({ syncMinutes: 5 });
});

test('settings under which the canary store fails stop by themselves, and it has back what is in force', async () => {
  // Long enough for whatever else the machine does.
  await deploy({ syncMinutes: 1, agentVersion: '9.9.9', canary: { ...canary, hours: 4 } });
  await until('CANARY', 20);
  expect(await synced('S1')).toMatchObject({ syncMinutes: 1, agent: { wanted: '9.9.9', isOther: true } });
  expect(await synced('S2')).toMatchObject({ syncMinutes: 5, agent: { wanted: null, isOther: false } });
  const { stores } = await json<{ stores: { storeId: string; replicas: { agent: object }[] }[] }>(
    storeline('store', 'list', '--dir', cloud, '--json'),
  );
  expect(stores.map(({ storeId, replicas }) => [storeId, replicas[0]?.agent])).toEqual([
    ['S1', { wanted: '9.9.9', isOther: true }],
    ['S2', { wanted: null, isOther: false }],
  ]);

  // Another program holds the replica, as an agent of a schema that does not fit would: whatever the store syncs fails.
  const held = new DatabaseSync(join(at('S1'), readdirSync(at('S1')).find((name) => /^replica.*\.sqlite$/.test(name)) ?? ''));
  held.exec('BEGIN IMMEDIATE');
  const failing = async () => {
    expect((await agent('logon', '--data', at('S1'), '--json')).code).toBe(1);
    return state();
  };
  await expect.poll(failing, { timeout: 2 * HOUR * 1_000, interval: 2_000 }).toBe('STOPPED');
  held.exec('ROLLBACK');
  held.close();

  const stopped = (await status()).rollout;
  expect(stopped).toMatchObject({
    stoppedBy: null,
    rises: [{ measure: 'failedRuns', before: 0, limit: 2 }],
    candidate: { syncMinutes: 1 },
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (const store of ['S1', 'S2']) expect(await synced(store)).toMatchObject({ syncMinutes: 5, agent: { wanted: null, isOther: false } });
  // The alarm is made of this line, which is said at every look.
  const log = readFileSync(join(cloud, 'logs', 'storeline-acme-watch-rollout.log'), 'utf8');
  expect(log).toContain('a rollout is stopped');
});

test('an admin resumes it, stops it and has it everywhere at last; the audit says why', async () => {
  const refused = await storeline('rollout', 'stop', '--reason', 'once more', '--dir', cloud, '--json');
  expect(refused.code, refused.stderr).toBe(2);
  expect(refused.stderr).toContain('stopped already');
  expect(await rollout('resume', '--reason', 'the disk was mended')).toMatchObject({ state: 'CANARY' });
  expect(await rollout('stop', '--reason', 'not before the holidays')).toMatchObject({
    state: 'STOPPED',
    reason: 'not before the holidays',
  });
  expect(await rollout('finish', '--reason', 'now it may')).toMatchObject({ state: 'EVERYWHERE', inForce: { syncMinutes: 1 } });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await synced('S2')).toMatchObject({ syncMinutes: 1, agent: { wanted: '9.9.9', isOther: true } });

  // An agent that runs takes up how often it syncs.
  const started = spawn(process.execPath, ['agent/main.ts', 'run', '--data', at('S1')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  started.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
  const schedules = () => [...said.matchAll(/every (\d+) minutes/g)].map(([, minutes]) => minutes);
  await expect.poll(schedules, { timeout: 30_000 }).toEqual(['5', '1']);
  const ended = once(started, 'exit');
  started.kill('SIGTERM');
  await ended;

  const { entries } = consoleResponseSchemas['audit.list'].parse(await json(storeline('audit', '--dir', cloud, '--json')));
  const own = entries.filter(({ op }) => op.startsWith('rollout.')).toReversed();
  expect(own.map(({ op, reason, outcome }) => [op, reason, outcome])).toEqual([
    ['rollout.stop', 'once more', 'INVALID_INPUT'],
    ['rollout.resume', 'the disk was mended', 'DONE'],
    ['rollout.stop', 'not before the holidays', 'DONE'],
    ['rollout.finish', 'now it may', 'DONE'],
  ]);
  expect(own.at(-1)?.change).toMatchObject({ before: { state: 'STOPPED' }, after: { state: 'EVERYWHERE' } });
});
