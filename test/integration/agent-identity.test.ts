import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireIdentity } from '../../agent/identity.ts';
import { runFreshSync } from '../../agent/sync/run-sync.ts';
import { must } from '../../protocol/assert.ts';
import { limits } from '../../protocol/limits.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { StoreAgent } from '../fixtures/store-agent.ts';

/** Who an agent is, and how it stays that, whatever is lost or cut on the way. */
let fake: FakeHeadOffice;
let agent: StoreAgent;

beforeEach(async () => {
  fake = await FakeHeadOffice.start();
  agent = await StoreAgent.enrolled(fake);
  await fake.write('customer', [{ user_id: '1', firstname: 'Ann' }]);
});
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

test('INV-54: after a lost answer an agent signs anew, and where something on the way sends it twice as well', async () => {
  for (const fault of ['lostAnswer', 'sentTwice'] as const) {
    const other = await StoreAgent.enrolled(fake, fault);
    let faults = 0;
    fake.hooks[fault] = (path) => path === '/v1/report' && (faults += 1) === 1;
    const before = fake.calls.get('/v1/report') ?? 0;
    expect((await runFreshSync(await other.deps())).outstanding).toEqual([]);
    expect((fake.calls.get('/v1/report') ?? 0) - before).toBeGreaterThanOrEqual(2);
    delete fake.hooks[fault];
    other.remove();
  }
});

const keyOf = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as { privateKey: { x: string } }).privateKey.x;
const known = () => must(fake.registry.replicas.get(requireIdentity(agent.paths.identity).replicaId), 'it is enrolled');
const askForKey = () => fake.registry.askForKey(known().replicaId, new Date(fake.world.now).toISOString());

test('INV-55: an agent that is asked for another key has one after its next sync, and the old one is worth nothing then', async () => {
  const before = readFileSync(agent.paths.identity, 'utf8');
  expect((await agent.run('logon', '--wait')).code).toBe(0);
  expect(readFileSync(agent.paths.identity, 'utf8')).toBe(before);
  fake.world.now += 1_000;
  await askForKey();
  expect((await agent.run('logon', '--wait')).code).toBe(0);
  // It used it at once, to say how the run ended.
  expect([keyOf(agent.paths.identity), existsSync(agent.paths.nextKey)]).toEqual([known().publicKey.x, false]);
  expect(statSync(agent.paths.identity).mode & 0o777).toBe(0o600);
  expect((await agent.run('logon', '--wait')).code).toBe(0);
  expect(known()).toMatchObject({ publicKey: { x: keyOf(agent.paths.identity) }, keySince: expect.any(String) as string });
  expect(fake.calls.get('/v1/rotate-key')).toBe(1);
  // The disk of before, copied or restored: it needs a code, and keeps what it has not sent.
  writeFileSync(agent.paths.identity, before);
  expect((await agent.run('records', 'put', 'customer', '{"user_id":"2","firstname":"Bea"}')).code).toBe(0);
  expect((await agent.run('logon', '--wait')).code).toBe(4);
  expect((await agent.run('enrol', '--again', '--api', fake.api, '--code', fake.addStore({ storeId: 'S1' }))).code).toBe(0);
  expect((await agent.run('logon', '--wait')).code).toBe(0);
  expect((await fake.world.records.getMany('customer', ['2'])).get('2')?.fields['firstname']).toBe('Bea');
});

test('INV-55: a replica whose key is 90 days old makes itself another one', async () => {
  fake.registry.replicas.set(known().replicaId, { ...known(), enrolledAt: new Date(fake.world.now - limits.keyLifeMs).toISOString() });
  const before = keyOf(agent.paths.identity);
  for (let syncs = 0; syncs < 2; syncs += 1) expect((await agent.run('logon', '--wait')).code).toBe(0);
  expect(keyOf(agent.paths.identity)).not.toBe(before);
  expect([known().publicKey.x, fake.calls.get('/v1/rotate-key')]).toEqual([keyOf(agent.paths.identity), 1]);
});

test('INV-55: kill -9 between the new key and its answer, before and after head office heard of it: the next sync goes on with the same key', async () => {
  await askForKey();
  const before = keyOf(agent.paths.identity);
  let child: ChildProcess | undefined;
  const kill = () => {
    child?.kill('SIGKILL');
    return true;
  };
  // Nothing was done of it yet.
  fake.hooks.api = (path) => path === '/v1/rotate-key' && kill();
  const killed = await agent.start(['logon', '--wait'], (spawned) => (child = spawned));
  expect(killed.signal).toBe('SIGKILL');
  const next = keyOf(agent.paths.nextKey);
  expect([keyOf(agent.paths.identity), known().nextKey]).toEqual([before, undefined]);
  delete fake.hooks.api;
  // It was done, and nobody hears of it.
  fake.hooks.lostAnswer = (path) => path === '/v1/rotate-key' && kill();
  expect((await agent.start(['logon', '--wait'], (spawned) => (child = spawned))).signal).toBe('SIGKILL');
  expect([keyOf(agent.paths.identity), keyOf(agent.paths.nextKey), known().nextKey?.publicKey.x]).toEqual([before, next, next]);
  delete fake.hooks.lostAnswer;
  // Days later only the new one is good.
  fake.world.now += 3 * limits.keyOverlapMs;
  const last = await agent.run('logon', '--wait');
  expect([last.code, keyOf(agent.paths.identity), existsSync(agent.paths.nextKey)], last.stderr).toEqual([0, next, false]);
  expect(known().publicKey.x).toBe(next);
});

test('INV-55: a lost answer, and a head office that does not know of keys yet, keep no sync from its end', async () => {
  await askForKey();
  let answers = 0;
  fake.hooks.lostAnswer = (path) => path === '/v1/rotate-key' && (answers += 1) === 1;
  const first = await agent.run('logon', '--wait');
  expect([first.code, answers, keyOf(agent.paths.identity)], first.stderr).toEqual([0, 2, known().publicKey.x]);
  fake.world.now += 1_000;
  await agent.run('logon', '--wait');
  await askForKey();
  fake.hooks.api = (path, response) => {
    if (path !== '/v1/rotate-key') return false;
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}');
    return true;
  };
  const older = await agent.run('logon', '--wait');
  expect([older.code, existsSync(agent.paths.nextKey), known().publicKey.x]).toEqual([0, true, keyOf(agent.paths.identity)]);
});

test('INV-55: an agent that was killed after its identity was written throws the rest away', async () => {
  const identity = readFileSync(agent.paths.identity, 'utf8');
  const { privateKey } = JSON.parse(identity) as { privateKey: object };
  writeFileSync(agent.paths.nextKey, JSON.stringify({ privateKey }));
  expect((await agent.run('logon', '--wait')).code).toBe(0);
  expect([readFileSync(agent.paths.identity, 'utf8'), existsSync(agent.paths.nextKey)]).toEqual([identity, false]);
  expect(fake.calls.has('/v1/rotate-key')).toBe(false);
});

test('a clock that is off is measured on both sides, needs no refused request once it is known, and is somebody’s to set', async () => {
  for (const [skewMs, isOff] of [
    // Head office's own clock does not go back.
    [200_000, false],
    [-600_000, true],
  ] as const) {
    fake.world.now = Date.now() - skewMs;
    expect((await agent.run('logon', '--wait')).code).toBe(0);
    expect(fake.refused).toContain('CLOCK_SKEW');
    const before = fake.refused.length;
    expect((await agent.run('logon', '--wait')).code).toBe(0);
    expect(fake.refused.slice(before)).toEqual([]);
    const { clock } = (await agent.run('status')).json;
    expect(clock).toMatchObject({ isOff, remedy: isOff ? expect.stringContaining('NTP') : null });
    // Head office of this test stands still while the agent works.
    for (const measured of [clock.skewMs, known().skewMs]) expect(Math.abs(Number(measured) - skewMs)).toBeLessThan(90_000);
  }
});
