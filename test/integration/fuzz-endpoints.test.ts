import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataPaths } from '../../agent/data-folder.ts';
import { requireIdentity } from '../../agent/identity.ts';
import { createRequestSigner } from '../../agent/transport/request-signer.ts';
import { sha256Hex } from '../../codec/pack.ts';
import type { PushResponse } from '../../protocol/messages/push.ts';
import { CHAIN_START } from '../../protocol/operation.ts';
import { TestOutbox } from '../fixtures/operations.ts';
import { type RunningStack, agent, json, startStack, storeline } from '../fixtures/programs.ts';

/** Whatever a store, or somebody with a store's key, sends to head office: a typed error, never a bug, and nothing stored. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-fuzz-'));
const cloud = join(dir, 'cloud');
const store = join(dir, 'S1');
const ROUTES = ['enrol', 'plan', 'report', 'push', 'fork', 'rotate-key', 'lookup', 'redeem', 'contact', 'console'];
/** Inputs of each; CI has time for some. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 120);
let running: RunningStack;
let sign: Awaited<ReturnType<typeof createRequestSigner>>;

beforeAll(async () => {
  running = await startStack(cloud);
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S1', '--dir', cloud, '--json'));
  await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', store, '--json'));
  sign = await createRequestSigner(requireIdentity(dataPaths(store).identity));
});
afterAll(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function send(route: string, body: Uint8Array | string, { signed, type }: { signed: boolean; type: string }): Promise<Response> {
  const path = `/v1/${route}`;
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('latin1');
  const headers: Record<string, string> = { 'content-type': type };
  if (signed)
    headers['authorization'] = await sign({ method: 'POST', path, body: text, issuedAt: Math.floor(Date.now() / 1_000), id: uuidv7() });
  return fetch(`${running.stack.api}${path}`, { method: 'POST', headers, body: typeof body === 'string' ? body : new Uint8Array(body) });
}

const operation = fc.record(
  {
    seq: fc.oneof(fc.integer(), fc.constant(1), fc.double()),
    opId: fc.oneof(fc.uuid(), fc.string()),
    collection: fc.constantFrom('bill', 'customer', 'fraud_user', 'nobody', '__proto__', ''),
    key: fc.string({ unit: 'grapheme' }),
    kind: fc.constantFrom('put', 'delete', 'drop'),
    fields: fc.dictionary(
      fc.string(),
      fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.integer())),
    ),
    base: fc.oneof(fc.nat(), fc.constant(-1)),
    clock: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
    chain: fc.oneof(fc.constant('0'.repeat(64)), fc.string()),
  },
  { requiredKeys: [] },
);
const shaped = fc.record(
  {
    protocol: fc.oneof(fc.constant(1), fc.constant(99), fc.string()),
    agentVersion: fc.oneof(fc.constant('0.1.0'), fc.string({ minLength: 50 })),
    code: fc.string(),
    publicKey: fc.oneof(fc.constant({ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'B'.repeat(43) }), fc.jsonValue()),
    feeds: fc.oneof(
      fc.array(
        fc.record({
          feed: fc.constantFrom('Customer@org', 'Tasks@store:S2', 'x'),
          generation: fc.string(),
          position: fc.integer(),
          want: fc.constantFrom('tail', 'all'),
        }),
      ),
      fc.jsonValue(),
    ),
    chunks: fc.jsonValue(),
    after: fc.oneof(fc.constant({ seq: 0, chain: '0'.repeat(64) }), fc.jsonValue()),
    operations: fc.oneof(fc.array(operation, { maxLength: 5 }), fc.jsonValue()),
    receiptsAfter: fc.oneof(fc.constant(0), fc.integer()),
    object: fc.oneof(
      fc.record({
        through: fc.record({ seq: fc.integer(), chain: fc.constant('1'.repeat(64)) }),
        bytes: fc.integer(),
        sha256: fc.constant('2'.repeat(64)),
      }),
      fc.jsonValue(),
    ),
    collection: fc.constantFrom('points_redemption', 'coupon_redemption', 'bill', '__proto__'),
    fields: fc.dictionary(fc.constantFrom('external_reference_number', 'user_id', 'points_redeemed', '__proto__', 'x'), fc.jsonValue()),
    run: fc.jsonValue(),
    commands: fc.oneof(fc.constant([]), fc.jsonValue()),
    loaded: fc.jsonValue(),
    withUploads: fc.jsonValue(),
    request: fc.oneof(
      fc.record({ op: fc.constantFrom('store.list', 'records.write', 'constructor'), collection: fc.jsonValue() }),
      fc.jsonValue(),
    ),
    by: fc.oneof(
      fc.record({
        kind: fc.constantFrom('user_id', 'identifier'),
        userId: fc.string(),
        type: fc.constantFrom('MOBILE', 'X'),
        value: fc.string({ unit: 'grapheme' }),
      }),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: ['protocol'] },
);
const deep = `{"protocol":1,"feeds":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
const bodies: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: shaped.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: fc.constantFrom(deep, '', 'null', '"', '\uFEFF{}', '{"protocol":1,"protocol":2}') },
  { weight: 1, arbitrary: fc.constantFrom(zstdCompressSync('{"protocol":1}'), gzipSync('x'.repeat(1_000_000)), Buffer.alloc(1_000)) },
);

test.each(ROUTES)('%s', async (route) => {
  await fc.assert(
    fc.asyncProperty(
      bodies,
      fc.boolean(),
      fc.constantFrom('application/json', 'text/plain', 'application/zstd'),
      async (body, signed, type) => {
        const answer = await send(route, body, { signed, type });
        const text = await answer.text();
        expect(answer.status, text).toBeLessThan(500);
        if (answer.status >= 400)
          expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(String) as string, message: expect.any(String) as string } });
      },
    ),
    { numRuns: RUNS },
  );
});

async function push(request: object): Promise<{ status: number; body: PushResponse & { error?: { code: string } } }> {
  const answer = await send('push', JSON.stringify({ protocol: 2, agentVersion: 'fuzz', receiptsAfter: 0, ...request }), {
    signed: true,
    type: 'application/json',
  });
  return { status: answer.status, body: (await answer.json()) as PushResponse & { error?: { code: string } } };
}

const START = { seq: 0, chain: CHAIN_START };

test.each<[string, (honest: Buffer) => Uint8Array]>([
  ['a bomb', () => zstdCompressSync(Buffer.alloc(64 * 1024 * 1024, 'x'))],
  ['no zstd at all', () => Buffer.from('{"seq":1}')],
  ['zstd that is cut off', (honest) => honest.subarray(0, honest.length - 3)],
  ['lines that are no operations', () => zstdCompressSync('null\n[]\n')],
  ['deep JSON', () => zstdCompressSync(`${'['.repeat(50_000)}${']'.repeat(50_000)}\n{}\n`)],
  ['fewer operations than announced', (honest) => zstdCompressSync(zstdDecompressSync(honest).toString('utf8').split('\n')[0] ?? '')],
])('an object that is %s is refused when it is there, and nothing of it is stored', async (_, spoil) => {
  const outbox = new TestOutbox();
  for (const user_id of ['fuzz-1', 'fuzz-2']) outbox.put('customer', { user_id, firstname: 'x' });
  const bytes = spoil(zstdCompressSync(outbox.operations.map((one) => JSON.stringify(one)).join('\n')));
  const object = { through: outbox.mark, bytes: bytes.length, sha256: sha256Hex(bytes) };
  const told = await push({ after: START, operations: [], object });
  if (told.body.put === undefined) throw new Error(`no address: ${JSON.stringify(told.body)}`);
  expect((await fetch(told.body.put.url, { method: 'PUT', headers: told.body.put.headers, body: new Uint8Array(bytes) })).status).toBe(200);
  const answer = await push({ after: START, operations: [], object });
  expect([answer.status, answer.body.error?.code]).toEqual([400, 'INVALID_INPUT']);
  expect((await push({ after: START, operations: [] })).body.storedThrough).toBe(0);
});

test('a body that is far too large is refused', async () => {
  const answer = await send('push', `{"protocol":1,"x":"${'x'.repeat(3_000_000)}"}`, { signed: true, type: 'application/json' });
  expect([400, 413]).toContain(answer.status);
});

test('nothing of it was stored', async () => {
  const at = ['--dir', cloud, '--json'];
  for (const collection of ['bill', 'customer', 'fraud_user'])
    expect(await json(storeline('records', 'count', collection, ...at))).toMatchObject({ count: 0 });
  expect(await json(storeline('exceptions', 'list', ...at))).toMatchObject({ exceptions: [] });
  expect((await push({ after: START, operations: [] })).body).toMatchObject({ storedThrough: 0, appliedThrough: 0 });
});
