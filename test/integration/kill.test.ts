import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/**
 * INV-06, INV-09: an agent that is killed with -9 at random moments of a fresh sync, against the real local cloud, always completes
 * afterwards, and what it has then is what head office has, value by value. `KILLS=50` for the long run.
 */
const KILLS = Number(process.env['KILLS'] ?? 12);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'storeline-kill-'));
const cloud = join(dir, 'cloud');
let running: RunningStack;

beforeAll(async () => {
  running = await startStack(cloud);
  await json(storeline('generate', '--customers', '3000', '--dir', cloud, '--json'));
  await json(storeline('compact', '--dir', cloud, '--json'));
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** true: it was killed before it ended. */
async function logonKilledAfter(data: string, ms: number): Promise<boolean> {
  const child = spawn(process.execPath, ['agent/main.ts', 'logon', '--data', data, '--wait'], { cwd: ROOT, stdio: 'ignore' });
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  expect(signal === 'SIGKILL' || code === 0).toBe(true);
  return signal === 'SIGKILL';
}

test(`${KILLS} kills`, async () => {
  let kills = 0;
  let completed = 0;
  for (let store = 1; kills < KILLS; store += 1) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', `S${store}`, '--dir', cloud, '--json'));
    const data = join(dir, `S${store}`);
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'));
    while (kills < KILLS && (await logonKilledAfter(data, 300 + Math.random() * 700))) kills += 1;
    const outcome = await json<{ complete: boolean; transfer: { chunksFetched: number } }>(
      agent('logon', '--data', data, '--wait', '--json'),
    );
    expect(outcome.complete).toBe(true);
    expect(await json(agent('verify', '--deep', '--data', data, '--json'))).toMatchObject({ equal: true });
    completed += 1;
  }
  process.stderr.write(`${kills} kills, ${completed} stores complete and equal\n`);
  const { stores } = await json<{ stores: { certificates: { feed: string }[] }[] }>(storeline('store', 'list', '--dir', cloud, '--json'));
  expect(stores.map(({ certificates }) => certificates.length)).toEqual(stores.map(() => 4));
});
