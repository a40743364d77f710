import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/**
 * The worst days, with real processes: head office is restored from a backup of before, and a store is taken out of service.
 */
const dir = mkdtempSync(join(tmpdir(), 'storeline-restore-'));
const cloud = join(dir, 'cloud');
const backup = join(dir, 'backup');
let running: RunningStack;

const at = (store: string) => join(dir, store);
const office = (...args: string[]) =>
  json<{ record: { fields: Record<string, unknown> } | null }>(storeline(...args, '--dir', cloud, '--json'));
const store = (name: string, ...args: string[]) => json<Record<string, unknown>>(agent(...args, '--data', at(name), '--json'));

async function enrol(name: string, folder = name): Promise<void> {
  const op = folder === name ? ['store', 'add', name] : ['store', 'code', name];
  const { code } = await json<{ code: string }>(storeline(...op, '--dir', cloud, '--json'));
  await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', at(folder), '--json'));
}

async function restart(work: () => void): Promise<void> {
  await running.stop();
  work();
  running = await startStack(cloud, '--port', new URL(running.stack.api).port);
}

beforeAll(async () => {
  running = await startStack(cloud);
  await json(storeline('generate', '--customers', '200', '--dir', cloud, '--json'));
  for (const name of ['S1', 'S2']) {
    await enrol(name);
    await store(name, 'logon', '--wait');
  }
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('head office is restored from a backup: what stores had sent since comes again, once, and every store is proved equal', async () => {
  await store('S1', 'records', 'put', 'customer', '{"user_id":"before","firstname":"Ann"}');
  await store('S1', 'logon', '--wait');
  await restart(() => cpSync(cloud, backup, { recursive: true }));
  // Lost with head office: its own change, and what a store sent and got a receipt for.
  await office('records', 'put', 'customer', '{"user_id":"lost","firstname":"Dee"}');
  await store('S1', 'records', 'put', 'customer', '{"user_id":"after","firstname":"Bea"}');
  for (const name of ['S1', 'S2']) await store(name, 'logon', '--wait');
  expect(await office('records', 'get', 'customer', 'after')).toMatchObject({ fields: { firstname: 'Bea' } });
  await restart(() => {
    rmSync(cloud, { recursive: true });
    cpSync(backup, cloud, { recursive: true });
  });
  expect((await storeline('records', 'get', 'customer', 'after', '--dir', cloud)).stderr).toContain('NOT_FOUND');

  const outcomes = await Promise.all(['S1', 'S2'].map((name) => store(name, 'logon', '--wait')));
  expect(outcomes.map(({ complete }) => complete)).toEqual([true, true]);
  expect(await office('records', 'get', 'customer', 'after')).toMatchObject({ fields: { firstname: 'Bea' } });
  for (const name of ['S1', 'S2']) {
    await store(name, 'logon', '--wait');
    expect(await store(name, 'verify', '--deep')).toMatchObject({ equal: true });
    expect((await agent('records', 'get', 'customer', 'lost', '--data', at(name))).stderr).toContain('NOT_FOUND');
    expect(await store(name, 'records', 'get', 'customer', 'after')).toMatchObject({ fields: { firstname: 'Bea' } });
  }
});

test('a machine is taken out of service: refused at once, its store goes on with another one, and nothing of the audit is missing', async () => {
  await json(storeline('store', 'revoke', 'S2', '--reason', 'stolen', '--dir', cloud, '--json'));
  const refused = await agent('logon', '--data', at('S2'), '--json');
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('UNAUTHORIZED')]);
  // The till goes on selling; what it records stays on its disk.
  await store('S2', 'records', 'put', 'customer', '{"user_id":"offline","firstname":"Cy"}');
  expect(await store('S2', 'status')).toMatchObject({ run: { state: 'FAILED', failure: { reason: 'AUTH' } }, outbox: { unsent: 1 } });
  await enrol('S2', 'S2-new');
  expect(await store('S2-new', 'logon', '--wait')).toMatchObject({ complete: true, kind: 'fresh' });
  const { entries } = await json<{ entries: { op: string }[] }>(storeline('audit', '--dir', cloud, '--json'));
  expect(entries.map(({ op }) => op).filter((op) => op.startsWith('store.'))).toEqual(
    expect.arrayContaining(['store.revoke', 'store.code']),
  );
});
