import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import { Link } from '../fixtures/link.ts';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/** INV-45 with real processes: the agent, head office with its workflow, and a link between them that is cut. An hour has 2 s. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'storeline-fresh-'));
const cloud = join(dir, 'cloud');
const data = join(dir, 'S1');
let running: RunningStack;
let link: Link;
let service: ChildProcess;

beforeAll(async () => {
  running = await startStack(cloud, '--hour', '2s');
  await json(storeline('generate', '--customers', '500', '--dir', cloud, '--json'));
  link = await Link.to(running.stack.api);
});
afterAll(async () => {
  service.kill('SIGKILL');
  link.close();
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

const status = async () =>
  consoleResponseSchemas['sync.status'].parse(await json(storeline('sync', 'status', 'S1', '--dir', cloud, '--json')));
const fresh = async () => (await status()).replicas[0]?.fresh ?? null;

function workflows() {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new SFNClient({ endpoint: running.stack.endpoints.sfn, region: running.stack.region, credentials });
}

/** The state of the workflow of this run, by its name. */
async function workflowOf(runId: string): Promise<string | undefined> {
  const stateMachineArn = running.stack.workflows['fresh-sync'];
  const { executions = [] } = await workflows().send(new ListExecutionsCommand({ stateMachineArn }));
  const found = executions.find(({ name }) => name === runId);
  if (found?.executionArn === undefined) return undefined;
  return (await workflows().send(new DescribeExecutionCommand({ executionArn: found.executionArn }))).status;
}

test('a store whose link dies in the middle of its fresh run: what is missing is said, and it completes with nobody’s help', async () => {
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--dir', cloud, '--json'));
  await json(agent('enrol', '--api', link.url, '--code', code, '--data', data, '--json'));
  // The link dies when the store wants to prove what it has loaded.
  link.cutAt = 'POST /v1/report';
  service = spawn(process.execPath, ['agent/main.ts', 'run', '--data', data], { cwd: ROOT, stdio: 'ignore' });
  await expect.poll(() => link.isUp, { timeout: 60_000 }).toBe(false);

  // Head office's own check says what is missing, hour after hour.
  await expect.poll(async () => (await fresh())?.checkedAt ?? null, { timeout: 30_000 }).not.toBeNull();
  const waiting = await fresh();
  expect(waiting?.completeAt).toBeNull();
  expect(waiting?.missing).toContain('the store has not proved Customer@org yet');
  const runId = waiting?.runId ?? '';
  expect(await workflowOf(runId)).toBe('RUNNING');
  expect(await json(agent('status', '--data', data, '--json'))).toMatchObject({ complete: false, run: { runId, kind: 'fresh' } });

  // Head office is killed and comes back; its workflow goes on.
  running.child.kill('SIGKILL');
  await once(running.child, 'exit');
  running = await startStack(cloud, '--hour', '2s', '--port', new URL(running.stack.api).port);
  await expect.poll(async () => (await fresh())?.checkedAt, { timeout: 30_000 }).not.toBe(waiting?.checkedAt);

  link.mend();
  const mendedAt = performance.now();
  await expect.poll(async () => (await fresh())?.completeAt ?? null, { timeout: 200_000, interval: 500 }).not.toBeNull();
  process.stderr.write(`complete ${((performance.now() - mendedAt) / 1_000).toFixed(1)} s after the link was back\n`);
  expect(await fresh()).toMatchObject({ runId, missing: [] });
  // A delta of the schedule may have followed at once: this run is looked for by its id.
  const run = (await status()).runs.find((one) => one.runId === runId);
  expect(run).toMatchObject({ kind: 'fresh', state: 'COMPLETED' });
  expect(run?.components.filter(({ status: one }) => !/^COMPLETED|^NOT_/.test(one))).toEqual([]);
  await expect.poll(() => workflowOf(runId), { timeout: 20_000 }).toBe('SUCCEEDED');
  expect((await storeline('sync', 'watch', 'S1', '--timeout', '10', '--dir', cloud)).code).toBe(0);
});
