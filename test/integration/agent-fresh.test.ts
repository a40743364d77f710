import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../agent/folder-lock.ts';
import { runFreshSync } from '../../agent/sync/run-sync.ts';
import { sha256Hex } from '../../codec/pack.ts';
import { manifestRanges } from '../../protocol/manifest.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { FakeHeadOffice, type ObjectFault } from '../fixtures/fake-head-office.ts';
import { type Json, StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;

const customers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({
    user_id: `c${100_000 + from + index}`,
    firstname: `First ${from + index}`,
    mobile: `+44700${from + index}`,
    notes: sha256Hex(String(from + index)).repeat(2),
  }));

async function open(sizes?: { rowsTarget: number; rowsMax: number }, store: object = {}): Promise<void> {
  fake = await FakeHeadOffice.start(sizes);
  agent = await StoreAgent.enrolled(fake, 'S1', store);
}

beforeEach(() => open());
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

/** Live rows of the replica as head office has them. */
function held(collection: string, columns: readonly string[]): unknown[] {
  const db = new DatabaseSync(agent.paths.replica, { readOnly: true });
  try {
    return db
      .prepare(`SELECT key, ${columns.join(', ')} FROM "${collection}" ORDER BY key`)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

describe('a fresh sync', () => {
  it('brings everything in scope, proves it, and then only what changed', async () => {
    agent.remove();
    agent = await StoreAgent.enrolled(fake, 'S2', { edition: 'clienteling' });
    await fake.write('customer', customers(700));
    await fake.write('fraud_user', [{ user_id: 'c100000', status: 'CONFIRMED' }]);
    const fresh = await agent.run('logon', '--wait');
    expect(fresh.stderr).not.toMatch(/signature|http:/);
    expect(fresh).toMatchObject({ code: 0, json: { storeId: 'S2', kind: 'fresh', complete: true } });
    const status = (await agent.run('status')).json;
    expect(status).toMatchObject({ complete: true, store: { storeId: 'S2', edition: 'clienteling' }, withheld: ['customer.dob'] });
    expect(status.components).toHaveLength(14);
    expect(status.components.find((part: Json) => part.component === 'Customer')).toMatchObject({
      status: 'COMPLETED',
      state: 'IN_SYNC',
      rows: 700,
    });
    expect(status.components.find((part: Json) => part.component === 'Loyalty Tracker')).toMatchObject({ status: 'NOT_USED', state: null });
    expect(held('customer', ['firstname', 'mobile'])).toEqual(
      customers(700).map(({ user_id, firstname, mobile }) => ({ key: user_id, firstname, mobile })),
    );
    expect(fake.certificates.get('S2 Customer@org')).toMatchObject({ rows: 700 });

    await fake.write('customer', [{ user_id: 'c100001', firstname: 'New' }], ['c100002']);
    const calls = fake.calls.get('/v1/plan') ?? 0;
    const delta = await agent.run('logon');
    expect(delta).toMatchObject({ code: 0, json: { kind: 'delta', complete: true, transfer: { requests: 1, chunksFetched: 0 } } });
    expect(fake.calls.get('/v1/plan')).toBe(calls + 1);
    expect(delta.json.components.find((part: Json) => part.component === 'Customer')).toMatchObject({ status: 'COMPLETED', rows: 699 });
    expect(delta.json.components.find((part: Json) => part.component === 'Stores')).toMatchObject({ status: 'COMPLETED_NO_CHANGES' });
    expect((await agent.run('records', 'get', 'customer', 'c100001')).json.fields).toEqual({ user_id: 'c100001', firstname: 'New' });
    expect(await agent.run('records', 'get', 'customer', 'c100002')).toMatchObject({ code: 1 });
    expect((await agent.run('records', 'count', 'customer')).json).toEqual({ collection: 'customer', count: 699 });
  });

  it('without --wait says what is outstanding, and goes on the next time', async () => {
    fake.autoCompact = false;
    await fake.write('customer', customers(50));
    const first = await agent.run('logon');
    expect(first).toMatchObject({ code: 3, json: { complete: false } });
    expect(first.json.outstanding).toContainEqual({ component: 'Customer', feed: 'Customer@org', reason: 'NEVER_SYNCED' });
    expect((await agent.run('status')).json.components.find((part: Json) => part.component === 'Customer')).toMatchObject({
      status: 'PAUSED',
      state: 'INITIALISING',
    });
    await fake.compactAll();
    expect(await agent.run('logon')).toMatchObject({ code: 0, json: { complete: true } });
  });

  it('survives kill -9 at any moment and fetches no byte twice that reached the disk', async () => {
    await fake.stop();
    agent.remove();
    await open({ rowsTarget: 700, rowsMax: 1_400 });
    await fake.write('customer', customers(12_000));
    await fake.write(
      'fraud_user',
      customers(2_000).map(({ user_id }) => ({ user_id, status: 'INTERNAL' })),
    );
    await fake.compactAll();
    fake.hooks.pieceBytes = 2_048;
    fake.hooks.pieceDelayMs = 10;
    const sentBytes = () => fake.chunkCounts().reduce((sum, count) => sum + count.bytesSent, 0);
    let kills = 0;
    for (let run = 0; run < 40; run += 1) {
      const sentBefore = sentBytes();
      // By bytes, not by the clock: however slow the machine is, there are more than ten kills in the download.
      const killAfter = Math.random() * 45_000;
      const result = await agent.start(['logon', '--wait'], (child) => {
        const watch = setInterval(() => sentBytes() - sentBefore > killAfter && child.kill('SIGKILL'), 3);
        child.once('exit', () => clearInterval(watch));
      });
      if (result.signal !== 'SIGKILL') break;
      kills += 1;
      const replica = existsSync(agent.paths.replica) ? (await agent.run('status')).json : null;
      if (replica !== null) expect(['NEVER_SYNCED', 'INITIALISING', 'IN_SYNC']).toContain(replica.components[0].state);
    }
    delete fake.hooks.pieceDelayMs;
    const last = await agent.run('logon', '--wait');
    expect(last).toMatchObject({ code: 0, json: { complete: true } });
    expect(kills).toBeGreaterThanOrEqual(10);

    const sizes = manifestRanges(await fake.world.manifest('Customer@org')).concat(
      manifestRanges(await fake.world.manifest('Fraud Users List@org')),
    );
    const total = sizes.reduce((sum, { chunk }) => sum + chunk.bytes, 0);
    const largest = Math.max(...sizes.map(({ chunk }) => chunk.bytes));
    expect(sentBytes() - total).toBeLessThanOrEqual(largest * kills);
    for (const { chunk } of sizes) {
      const count = [...fake.objects].find(([key]) => key.endsWith(chunk.sha256))?.[1];
      expect(count?.bytesSent ?? 0).toBeLessThanOrEqual(chunk.bytes + kills * 3 * 2_048);
    }
    expect((await agent.run('verify', '--deep')).json).toMatchObject({ equal: true });
    expect(readdirSync(agent.paths.spool)).toEqual([]);
    expect(existsSync(agent.paths.shadow)).toBe(false);
  });

  it('ends quickly and resumably on SIGTERM, with exit code 3', async () => {
    await fake.write('customer', customers(3_000));
    fake.hooks.pieceBytes = 256;
    fake.hooks.pieceDelayMs = 20;
    // In the middle of the download, however long the start took.
    const stopped = await agent.start(['logon', '--wait'], (child) => {
      const watch = setInterval(() => fake.chunkCounts().some(({ bytesSent }) => bytesSent > 0) && child.kill('SIGTERM'), 5);
      child.once('exit', () => clearInterval(watch));
    });
    expect(stopped).toMatchObject({ code: 3, signal: null });
    delete fake.hooks.pieceDelayMs;
    expect(await agent.run('logon', '--wait')).toMatchObject({ code: 0 });
  });

  it('resumes a download that is cut again and again, by Range', async () => {
    await fake.write('customer', customers(400));
    fake.hooks.object = (key): ObjectFault | undefined => (key.startsWith('chunks/') ? { cutAfterBytes: 1_500 } : undefined);
    fake.hooks.pieceBytes = 500;
    const outcome = await runFreshSync(await agent.deps());
    expect(outcome.outstanding).toEqual([]);
    const ranges = manifestRanges(await fake.world.manifest('Customer@org'));
    expect(ranges.some(({ chunk }) => chunk.bytes > 1_500)).toBe(true);
    for (const { chunk } of ranges) {
      const count = [...fake.objects].find(([key]) => key.endsWith(chunk.sha256))?.[1];
      expect(count).toMatchObject({ bytesSent: chunk.bytes, gets: Math.ceil(chunk.bytes / 1_500) });
    }
  });

  it('gets over expired addresses, busy answers and a stalled connection', async () => {
    await fake.write('customer', customers(400));
    const seen = new Map<string, number>();
    fake.hooks.object = (key): ObjectFault | undefined => {
      const number = (seen.get(key) ?? 0) + 1;
      seen.set(key, number);
      if (number === 1) return { status: key.startsWith('manifests/') ? 400 : 403 };
      if (number === 2) return key.startsWith('chunks/') ? { stallMs: 400 } : { status: 503 };
      return undefined;
    };
    let busy = 2;
    fake.hooks.api = (path, response) => {
      if (path !== '/v1/report' || busy-- <= 0) return false;
      response.writeHead(503, { 'content-type': 'text/plain' });
      response.end('busy');
      return true;
    };
    const outcome = await runFreshSync(await agent.deps({ stallTimeoutMs: 100 }));
    expect(outcome.outstanding).toEqual([]);
  });

  it('fetches a corrupted chunk once more and then refuses it', async () => {
    await fake.write('customer', customers(400));
    const seen = new Set<string>();
    fake.hooks.object = (key): ObjectFault | undefined => {
      if (!key.startsWith('chunks/') || seen.has(key)) return undefined;
      seen.add(key);
      return { corrupt: true };
    };
    expect((await runFreshSync(await agent.deps())).outstanding).toEqual([]);
    expect(fake.chunkCounts().every(({ gets }) => gets === 2)).toBe(true);

    const other = await StoreAgent.enrolled(fake, 'S3');
    fake.hooks.object = (key): ObjectFault | undefined => (key.startsWith('chunks/') ? { corrupt: true } : undefined);
    await expect(runFreshSync(await other.deps())).rejects.toMatchObject({ code: 'INTEGRITY' });
    expect(readdirSync(other.paths.spool).filter((name) => name.endsWith('.part'))).toEqual([]);
    other.remove();
  });

  it('takes nothing from whatever answers in the place of head office', async () => {
    await fake.write('customer', customers(10));
    fake.hooks.object = (): ObjectFault => ({ webPage: true });
    await expect(runFreshSync(await agent.deps())).rejects.toMatchObject({ code: 'CONNECTIVITY' });
    delete fake.hooks.object;
    for (const [type, body] of [
      ['text/html', '<html>please log in</html>'],
      ['application/json', '{"hello":"world"}'],
      ['application/json', '{"protocol":1,'],
    ] as const) {
      fake.hooks.api = (_, response) => {
        response.writeHead(200, { 'content-type': type });
        response.end(body);
        return true;
      };
      await expect(runFreshSync(await agent.deps())).rejects.toMatchObject({ code: 'CONNECTIVITY' });
    }
  });

  it('heals a clock that is days off, with one request more', async () => {
    await fake.write('customer', customers(10));
    for (const days of [-9, 400]) {
      const other = await StoreAgent.enrolled(fake, `clock${days}`);
      const before = fake.calls.get('/v1/plan') ?? 0;
      const deps = await other.deps({ clock: { now: () => Date.now() + days * 86_400_000 } });
      fake.world.now = Date.now();
      await fake.compactAll();
      expect((await runFreshSync(deps)).outstanding).toEqual([]);
      expect((fake.calls.get('/v1/plan') ?? 0) - before).toBeLessThanOrEqual(5);
      other.remove();
    }
  });

  it('refuses to start a load that the disk cannot hold, with numbers', async () => {
    await fake.write('customer', customers(500));
    const deps = await agent.deps({ freeBytes: () => Promise.resolve(1_000_000) });
    await expect(runFreshSync(deps)).rejects.toMatchObject({ code: 'STORAGE_FULL', details: { freeBytes: 1_000_000 } });
    expect(held('customer', ['rev'])).toEqual([]);
    expect(existsSync(agent.paths.shadow)).toBe(false);
    expect((await runFreshSync(await agent.deps())).outstanding).toEqual([]);
  });

  it('a second agent on one folder waits for its turn, and an enrolment is told who holds it', async () => {
    const lock = lockFolder(agent.paths);
    let isOver = false;
    const second = agent.run('logon', '--wait').finally(() => (isOver = true));
    const enrolment = await agent.run('enrol', '--api', fake.api, '--code', 'TEST');
    expect(enrolment.code).toBe(1);
    expect(enrolment.stderr).toMatch(new RegExp(`REPLICA_BUSY: .*process ${process.pid}`));
    expect([isOver, existsSync(agent.paths.replica)]).toEqual([false, false]);
    lock.release();
    expect(await second).toMatchObject({ code: 0, json: { complete: true } });
  });

  it('a revoked replica gets exit code 4 and keeps what it has', async () => {
    await fake.write('customer', customers(10));
    await agent.run('logon', '--wait');
    fake.revoke(JSON.parse(readFileSync(agent.paths.identity, 'utf8')).replicaId);
    expect(await agent.run('logon')).toMatchObject({ code: 4 });
    expect((await agent.run('status')).json).toMatchObject({ run: { kind: 'delta', state: 'FAILED', failure: { reason: 'AUTH' } } });
    expect(held('customer', ['rev'])).toHaveLength(10);
  });

  it('keeps its key to itself', () => {
    expect(statSync(agent.folder).mode & 0o777).toBe(0o700);
    expect(statSync(agent.paths.identity).mode & 0o777).toBe(0o600);
  });
});

describe('a replica that is not right', () => {
  beforeEach(async () => {
    await fake.write('customer', customers(600));
    await runFreshSync(await agent.deps());
  });

  function tamper(sql: string): void {
    const db = new DatabaseSync(agent.paths.replica);
    db.exec(sql);
    db.close();
  }

  it('is found by verify, and repaired range by range', async () => {
    tamper(
      "UPDATE customer SET rev = rev - 1 WHERE key = 'c100300'; DELETE FROM customer WHERE key = 'c100301'; INSERT INTO customer (key, rev) VALUES ('c100302x', 1)",
    );
    tamper("INSERT INTO bill (key, rev) VALUES ('stray', 1)");
    const found = await agent.run('verify');
    expect(found.code).toBe(1);
    expect(found.json.components[0].component).toBe('Customer');
    expect(found.json.components[0].ranges.map((range: Json) => range.kind)).toEqual(expect.arrayContaining(['rows', 'stray']));
    expect((await agent.run('status')).json.complete).toBe(false);
    const repaired = await agent.run('verify', '--repair');
    expect(repaired).toMatchObject({ code: 0, json: { repaired: true } });
    expect(repaired.json.transfer.chunksFetched).toBeLessThanOrEqual(2);
    expect(await agent.run('verify', '--deep')).toMatchObject({ code: 0, json: { equal: true } });
    expect(held('customer', ['firstname'])).toHaveLength(600);
    expect((await agent.run('status')).json.complete).toBe(true);
  });

  it('with a value changed in place is found by verify --deep only', async () => {
    tamper("UPDATE customer SET firstname = 'Mallory' WHERE key = 'c100300'");
    expect(await agent.run('verify')).toMatchObject({ code: 0 });
    const found = await agent.run('verify', '--deep');
    expect(found).toMatchObject({ code: 1, json: { components: [{ ranges: [{ kind: 'content' }] }] } });
    expect(await agent.run('verify', '--deep', '--repair')).toMatchObject({ code: 0 });
    expect((await agent.run('records', 'get', 'customer', 'c100300')).json.fields.firstname).toBe('First 300');
  });

  it('because its file is damaged is moved aside and loaded again', async () => {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(agent.paths.replica, 'not a database '.repeat(1_000));
    const again = await agent.run('logon', '--wait');
    expect(again).toMatchObject({ code: 0, json: { kind: 'fresh', complete: true } });
    expect(again.stderr).toMatch(/moved to .*damaged/);
    expect(held('customer', ['rev'])).toHaveLength(600);
    expect(readdirSync(agent.folder).some((name) => name.includes('damaged'))).toBe(true);
    expect(existsSync(join(agent.folder, 'identity.json'))).toBe(true);
  });

  it('after a new generation of a feed asks for a resync and gets there in place', async () => {
    const feed = fake.world.feeds.feeds.get('Customer@org');
    if (feed === undefined) throw new Error('no feed');
    feed.head = { ...feed.head, generation: 'restored' };
    feed.snapshot = null;
    fake.autoCompact = false;
    expect(await agent.run('logon')).toMatchObject({ code: 3, json: { complete: false } });
    expect((await agent.run('status')).json.components[2]).toMatchObject({ component: 'Customer', state: 'RESYNC_REQUIRED' });
    fake.autoCompact = true;
    const again = await agent.run('logon', '--wait');
    expect(again).toMatchObject({ code: 0, json: { complete: true, transfer: { chunksFetched: 0 } } });
    expect((await agent.run('status')).json.components[2].feeds[0].cursor.generation).toBe('restored');
  });
});

describe('an agent of another version than head office', () => {
  it('speaks the version of a head office that was taken back to an older one', async () => {
    fake.served = { min: 1, max: PROTOCOL_VERSION - 1 };
    await agent.run('records', 'put', 'customer', '{"user_id":"u1","firstname":"Ann"}');
    expect(await agent.run('logon', '--wait')).toMatchObject({ code: 0, json: { complete: true } });
    expect(new Set(fake.spoken.slice(1))).toEqual(new Set([PROTOCOL_VERSION - 1]));
  });

  it('that is too old is told what to do, and goes on selling', async () => {
    fake.served = { min: PROTOCOL_VERSION + 1, max: PROTOCOL_VERSION + 3 };
    const refused = await agent.run('logon', '--wait');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('PROTOCOL_UNSUPPORTED');
    expect(refused.stderr).toContain('Update the agent');
    expect(await agent.run('records', 'put', 'customer', '{"user_id":"u1","firstname":"Ann"}')).toMatchObject({ code: 0 });
    expect((await agent.run('status')).json).toMatchObject({
      run: { state: 'FAILED', failure: { reason: 'SCHEMA_VERSION' } },
      outbox: { unsent: 1 },
    });
  });
});
