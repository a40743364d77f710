import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { type Json, StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;
const running: ChildProcess[] = [];

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 100, rowsMax: 200 });
  agent = await StoreAgent.enrolled(fake);
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await fake.stop();
  agent.remove();
});

/** The service as a process, and its log line by line. */
function service(...args: string[]) {
  const main = join(import.meta.dirname, '../../agent/main.ts');
  const child = spawn(process.execPath, [main, 'run', '--data', agent.folder, '--json', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, next: async (): Promise<Json> => JSON.parse(String((await lines.next()).value)) };
}

const customers = (count: number) => Array.from({ length: count }, (_, index) => ({ user_id: `c${index}`, firstname: 'Ann' }));

it('syncs at its start and then on its schedule, through refusals, and ends with 0 when it is told to', { timeout: 150_000 }, async () => {
  await fake.write('customer', customers(50));
  const { child, next } = service('--every', '1');
  expect(await next()).toMatchObject({ kind: 'fresh', complete: true });
  // While the service holds the folder another agent is told so.
  expect((await agent.run('logon')).stderr).toContain('REPLICA_BUSY');
  await fake.write('customer', [{ user_id: 'c7', firstname: 'Bea' }]);
  expect(await next()).toMatchObject({ kind: 'delta', complete: true, rows: 1 });
  expect((await agent.run('records', 'get', 'customer', 'c7')).json).toMatchObject({ fields: { firstname: 'Bea' } });
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

it('a delta is refused before the first sync is complete, says what is outstanding, and changes nothing', async () => {
  const never = await agent.run('delta');
  expect(never).toMatchObject({ code: 3, json: null });
  expect(never.stderr).toContain('FRESH_NOT_COMPLETE: the fresh sync is not complete: it was never started');
  expect((await agent.run('status')).json.replica.contactAt).toBeNull();
  await agent.run('logon', '--wait');
  await fake.write('customer', [{ user_id: 'c7', firstname: 'Bea' }]);
  expect(await agent.run('delta')).toMatchObject({ code: 0, json: { kind: 'delta', complete: true } });
});
