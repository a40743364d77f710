import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/**
 * INV-10, INV-11, INV-16: two stores sell against one cloud while agents, the cloud and its database are killed with -9 at random moments. What a
 * till was told is recorded is at head office once, and the books add up. `UPLOAD_KILLS=100` for the long run.
 */
const KILLS = Number(process.env['UPLOAD_KILLS'] ?? 8);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'storeline-killup-'));
const at = (name: string) => join(dir, name);
const IN_CLOUD = ['--dir', at('cloud'), '--json'];
const STORES = ['S1', 'S2'];
const OPENING = 1_000_000;
let running: RunningStack;
let port: string;

beforeAll(async () => {
  running = await startStack(at('cloud'));
  ({ port } = new URL(running.stack.api));
  await json(storeline('records', 'put', 'customer', '{"user_id":"7","firstname":"Ann"}', ...IN_CLOUD));
  await json(storeline('records', 'put', 'loyalty_summary', `{"user_id":"7","program_id":"P","points":"${OPENING}"}`, ...IN_CLOUD));
  for (const store of STORES) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', store, ...IN_CLOUD));
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', at(store), '--json'));
    await json(agent('logon', '--wait', '--data', at(store), '--json'));
  }
});
afterAll(async () => {
  for (const till of tills.values()) till.child.kill('SIGKILL');
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface RunningTill {
  readonly child: ChildProcess;
}
const tills = new Map<string, RunningTill>();

function startTill(store: string): void {
  const child = spawn(process.execPath, ['agent/main.ts', 'run', '--data', at(store), '--port', '0', '--every', '1'], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  tills.set(store, { child });
}

async function ask(store: string, method: string, path: string, body?: object): Promise<Response | null> {
  try {
    const { url, token } = JSON.parse(readFileSync(join(at(store), 'local-api.json'), 'utf8')) as { url: string; token: string };
    const init = { method, headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(5_000) };
    return await fetch(`${url}${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  } catch {
    return null;
  }
}

/** What the tills were told is recorded, by collection and key. */
const recorded = new Map<string, string>();
let count = 0;

async function sell(store: string): Promise<void> {
  count += 1;
  const id = `${store}-${count}`;
  const place = { store_code: store, till_code: store };
  const time = new Date().toISOString().replace(/\.\d+Z/, 'Z');
  const amount = String(count % 90 || 1);
  const isBill = count % 3 !== 0;
  const record = isBill
    ? {
        bill_client_id: id,
        type: 'REGULAR',
        number: id,
        billing_time: time,
        billing_zone: 'UTC',
        amount,
        currency_code: 'GBP',
        user_id: '7',
        ...place,
      }
    : { external_reference_number: id, user_id: '7', program_id: 'P', points_redeemed: amount, redemption_time: time, ...place };
  const answer = await ask(store, 'PUT', `/v1/records/${isBill ? 'bill' : 'points_redemption'}`, record);
  if (answer?.status === 200) recorded.set(isBill ? `bill ${store}/${id}` : `points_redemption ${id}`, amount);
}

async function kill(victim: number): Promise<void> {
  const store = STORES[victim];
  if (store !== undefined) {
    const { child } = tills.get(store) as RunningTill;
    child.kill('SIGKILL');
    await once(child, 'exit');
    startTill(store);
    return;
  }
  const stack = childrenOf(running.child.pid ?? 0)[0] ?? 0;
  // The database alone: the cloud sees it and ends. Or the cloud, and what it started goes with it.
  process.kill(victim === 2 ? (childrenOf(stack)[0] ?? stack) : stack, 'SIGKILL');
  await Promise.race([once(running.child, 'exit'), delay(5_000)]);
  await running.stop();
  running = await startStack(at('cloud'), '--port', port);
}

/** The emulator runs on Linux only, so this may too. */
function childrenOf(pid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((one) => parentOf(one) === pid).map(Number);
}

function parentOf(pid: string): number | null {
  try {
    return Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return null;
  }
}

function heldBy(store: string): Map<string, string> {
  const db = new DatabaseSync(join(at(store), 'replica.sqlite'), { readOnly: true });
  try {
    const bills = db.prepare('SELECT key, amount FROM bill').all();
    const spent = db.prepare('SELECT key, points_redeemed FROM points_redemption').all();
    return new Map([
      ...bills.map((row): [string, string] => [`bill ${String(row['key'])}`, String(row['amount'])]),
      ...spent.map((row): [string, string] => [`points_redemption ${String(row['key'])}`, String(row['points_redeemed'])]),
    ]);
  } finally {
    db.close();
  }
}

test(`${KILLS} kills while two stores sell`, async () => {
  for (const store of STORES) startTill(store);
  for (let kills = 0; kills < KILLS; kills += 1) {
    const until = Date.now() + 500 + Math.random() * 2_000;
    while (Date.now() < until) {
      await Promise.all(STORES.map((store) => sell(store)));
      await delay(20);
    }
    await kill(kills % 4);
  }
  for (const store of STORES) tills.get(store)?.child.kill('SIGTERM');
  await Promise.all(STORES.map((store) => once(tills.get(store)?.child as ChildProcess, 'exit')));
  for (const store of STORES) {
    // Once for what is left, once more for what the other store has sent.
    for (let turn = 0; turn < 2; turn += 1) await json(agent('logon', '--wait', '--data', at(store), '--json'));
    const { counts } = await json<{ counts: Record<string, number> }>(agent('outbox', '--data', at(store), '--json'));
    for (const waiting of ['PENDING', 'SENDING', 'UNCONFIRMED', 'RETRY_WAIT', 'REJECTED', 'QUARANTINED', 'CONFLICT', 'HELD'])
      expect({ store, waiting, count: counts[waiting] }).toEqual({ store, waiting, count: 0 });
  }
  // Both stores hold everything and are equal to head office, so what is there is read in one of them.
  for (const store of STORES) expect(await json(agent('verify', '--deep', '--data', at(store), '--json'))).toMatchObject({ equal: true });
  const held = heldBy(STORES[0] as string);
  const spent = [...held].filter(([what]) => what.startsWith('points_redemption ')).reduce((sum, [, amount]) => sum + Number(amount), 0);
  for (const [what, amount] of recorded) expect({ what, amount: held.get(what) }).toEqual({ what, amount });
  const { fields } = await json<{ fields: Record<string, unknown> }>(storeline('records', 'get', 'loyalty_summary', '7/P', ...IN_CLOUD));
  // A redemption whose answer the till did not get may have been recorded all the same; none is there twice.
  const ledger = await json<{ count: number }>(storeline('records', 'count', 'points_ledger', ...IN_CLOUD));
  const redemptions = await json<{ count: number }>(storeline('records', 'count', 'points_redemption', ...IN_CLOUD));
  expect(ledger.count).toBe(redemptions.count);
  expect(OPENING - Number(fields['points'])).toBe(spent);
  process.stderr.write(`${KILLS} kills, ${recorded.size} records told to tills, all there once\n`);
});
