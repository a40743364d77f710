import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT, type JWK, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAllowed } from '../../protocol/console-roles.ts';
import { type Role, ROLES } from '../../protocol/role.ts';
import type { ConsoleRequest } from '../../protocol/messages/console.ts';
import { createRequestSigner } from '../../agent/transport/request-signer.ts';
import { type RunningStack, agent, json, startStack, storeline, tokenOf } from '../fixtures/programs.ts';

/**
 * The authorization matrix (INV-24, INV-25, INV-49, INV-54, INV-55): every route with every kind of credential, over HTTP against the bundled
 * functions, with real keys and with tokens of a real identity provider. A cell is one request; what is refused is refused
 * with 401 or 403, and what is allowed gets past that, whatever else is wrong with it.
 */
const dir = mkdtempSync(join(tmpdir(), 'storeline-matrix-'));
const cloud = join(dir, 'cloud');
let running: RunningStack;
interface Identity {
  readonly replicaId: string;
  readonly organization: string;
  readonly privateKey: JWK;
}
const identities = new Map<string, Identity>();
const tokens = new Map<Role, string>();
let cells = 0;

beforeAll(async () => {
  running = await startStack(cloud);
  for (const store of ['S1', 'S2', 'S3']) {
    const { code } = await json<{ code: string }>(storeline('store', 'add', store, '--dir', cloud, '--json'));
    const data = join(dir, store);
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'));
    identities.set(store, JSON.parse(readFileSync(join(data, 'identity.json'), 'utf8')) as Identity);
  }
  await json(storeline('store', 'revoke', 'S3', '--reason', 'for the matrix', '--dir', cloud, '--json'));
  for (const role of ROLES) tokens.set(role, await tokenOf(running.stack, role));
});
afterAll(async () => {
  process.stderr.write(`${cells} cells of the authorization matrix\n`);
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly code: string | null;
}

async function post(path: string, body: string, authorization: string | null): Promise<Answer> {
  cells += 1;
  const headers = { 'content-type': 'application/json', ...(authorization === null ? {} : { authorization }) };
  const response = await fetch(`${running.stack.api}${path}`, { method: 'POST', headers, body });
  const answer = (await response.json()) as { error?: { code: string } };
  return { status: response.status, code: answer.error?.code ?? null };
}

const CHAIN = '0'.repeat(64);
const UUID = '01890000-0000-7000-8000-000000000001';
const BODIES: Readonly<Record<string, object>> = {
  plan: { agentVersion: '1', feeds: [] },
  report: { feeds: [{ feed: 'Customer@org', generation: 'g', position: 0, rows: 0, root: CHAIN }] },
  push: { agentVersion: '1', after: { seq: 0, chain: CHAIN }, operations: [], receiptsAfter: 0 },
  fork: { agentVersion: '1', publicKey: publicKey() },
  'rotate-key': { agentVersion: '1', publicKey: publicKey() },
  lookup: { by: { kind: 'user_id', userId: '1' } },
  redeem: { collection: 'points_redemption', fields: {} },
  contact: { agentVersion: '1', run: freshRun(), commands: [] },
};
/** A repeat of these changes nothing and answers nothing that was not answered before; why: docs/decisions. */
const REPEATABLE: ReadonlySet<string> = new Set(['plan', 'push']);
const ROUTES = Object.keys(BODIES);

function freshRun(): object {
  const at = '2026-11-23T10:00:00.000Z';
  const none = { finishedAt: null, commandId: null, declaredThrough: 0, components: [], failure: null };
  return { runId: UUID, replicaId: 'S1:r', kind: 'fresh', trigger: 'LOGON', state: 'RUNNING', startedAt: at, updatedAt: at, ...none };
}

function publicKey(): object {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  return { kty: 'EC', crv: 'P-256', x, y };
}

interface Proof {
  readonly as?: Identity;
  readonly path: string;
  readonly body: string;
  readonly ageS?: number;
}

async function sign({ as = identity('S1'), path, body, ageS = 0 }: Proof): Promise<string> {
  const signer = await createRequestSigner(as);
  return signer({ method: 'POST', path, body, issuedAt: Math.floor(Date.now() / 1_000) - ageS, id: randomUUID() });
}

function identity(store: string): Identity {
  return identities.get(store) as Identity;
}

/** A token whose header says that nothing had to be signed. */
function unsigned(token: string): string {
  const [, payload] = token.split('.');
  return `${Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' })).toString('base64url')}.${payload ?? ''}.`;
}

/** One letter of the signature is another. */
function tampered(token: string): string {
  const at = token.lastIndexOf('.') + 10;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

const REFUSED: Readonly<Record<string, (path: string, body: string) => Promise<string | null>>> = {
  'nothing at all': () => Promise.resolve(null),
  'the key of another store': (path, body) => sign({ path, body, as: { ...identity('S1'), privateKey: identity('S2').privateKey } }),
  'a proof for another organization': (path, body) => sign({ path, body, as: { ...identity('S1'), organization: 'nordlys' } }),
  'a replica that is revoked': (path, body) => sign({ path, body, as: identity('S3') }),
  'a replica that never was': (path, body) => sign({ path, body, as: { ...identity('S1'), replicaId: `S1:${randomUUID()}` } }),
  'a proof that is too old': (path, body) => sign({ path, body, ageS: 600 }),
  'a proof of the future': (path, body) => sign({ path, body, ageS: -600 }),
  'a proof of another body': (path, body) => sign({ path, body: `${body} ` }),
  'a proof of another route': (path, body) => sign({ path: path === '/v1/plan' ? '/v1/push' : '/v1/plan', body }),
  'a signature that was changed': async (path, body) => tampered(await sign({ path, body })),
  'a proof that is not signed': async (path, body) => {
    const [scheme, token] = (await sign({ path, body })).split(' ');
    return `${scheme} ${unsigned(token ?? '')}`;
  },
  'the proof as a bearer token': async (path, body) => (await sign({ path, body })).replace('Storeline', 'Bearer'),
  'the token of an admin': () => Promise.resolve(`Bearer ${tokens.get('admin')}`),
};

describe.each(ROUTES)('the route %s of stores', (route) => {
  const path = `/v1/${route}`;
  const body = JSON.stringify({ protocol: 1, ...BODIES[route] });

  test('takes the store it is of', async () => {
    const { status, code } = await post(path, body, await sign({ path, body }));
    // A request that is wrong in itself would be refused before anybody asks whose it is.
    expect([401, 403, 500], `${String(status)} ${code}`).not.toContain(status);
    if (status === 400) expect(route).toBe('redeem');
  });

  test(REPEATABLE.has(route) ? 'answers a repeat with the same' : 'refuses a repeat, and takes the same request signed anew', async () => {
    const authorization = await sign({ path, body });
    const first = await post(path, body, authorization);
    expect(first.code).not.toBe('REPLAYED');
    const repeat = await post(path, body, authorization);
    expect(repeat).toEqual(REPEATABLE.has(route) ? first : { status: 401, code: 'REPLAYED' });
    expect(await post(path, body, await sign({ path, body }))).toEqual(first);
  });

  test.each(Object.keys(REFUSED))('refuses %s', async (what) => {
    expect(await post(path, body, (await REFUSED[what]?.(path, body)) ?? null)).toMatchObject({ status: 401 });
  });
});

describe('a store that gets another key (INV-55)', () => {
  const before = () => identity('S2');
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = pair.publicKey.export({ format: 'jwk' });
  const after = () => ({ ...before(), privateKey: pair.privateKey.export({ format: 'jwk' }) as JWK });
  const by = async (as: Identity, path: string, body: object) => {
    const text = JSON.stringify({ protocol: 1, ...body });
    return post(path, text, await sign({ as, path, body: text }));
  };

  test('is let in with both until the new one is used, and with no other that was offered before', async () => {
    const offer = (key: object) => by(before(), '/v1/rotate-key', { agentVersion: '1', publicKey: key });
    expect((await offer(publicKey())).status).toBe(200);
    expect((await offer({ kty: 'EC', crv: 'P-256', x, y })).status).toBe(200);
    expect((await by(before(), '/v1/plan', { ...BODIES['plan'] })).status).toBe(200);
    expect((await by(after(), '/v1/plan', { ...BODIES['plan'] })).status).toBe(200);
    expect((await by(after(), '/v1/rotate-key', { agentVersion: '1', publicKey: { kty: 'EC', crv: 'P-256', x, y } })).status).toBe(200);
  });

  test.each(ROUTES)('is not let in at %s with the old one after that', async (route) => {
    expect(await by(before(), `/v1/${route}`, { ...BODIES[route] })).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
  });
});

test('a contact that begins nothing costs no write for its proof, and may be repeated', async () => {
  const path = '/v1/contact';
  const commands = [{ commandId: UUID, state: 'DONE', result: null, failure: null }];
  const body = JSON.stringify({ protocol: 1, ...BODIES['contact'], run: { ...freshRun(), kind: 'delta' }, commands });
  const authorization = await sign({ path, body });
  for (let times = 0; times < 2; times += 1) expect(await post(path, body, authorization)).toEqual({ status: 200, code: null });
});

test('a store gets nothing of another store’s feeds, with the best of credentials', async () => {
  const body = JSON.stringify({ protocol: 1, agentVersion: '1', feeds: [{ feed: 'Associates@store:S2', generation: 'g', position: 0 }] });
  const headers = { authorization: await sign({ path: '/v1/plan', body }) };
  const response = await fetch(`${running.stack.api}/v1/plan`, { method: 'POST', headers, body });
  const { feeds } = (await response.json()) as { feeds: { feed: string; action: string }[] };
  expect([response.status, feeds.find(({ feed }) => feed === 'Associates@store:S2')?.action]).toEqual([200, 'leave']);
  const others = feeds.filter(({ feed, action }) => feed.includes('@store:') && !feed.endsWith('@store:S1') && action !== 'leave');
  expect(others).toEqual([]);
});

test.each([
  ['', { status: 400, code: 'INVALID_INPUT' }],
  ['XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX', { status: 401, code: 'CODE_INVALID' }],
  ['0'.repeat(26), { status: 401, code: 'CODE_INVALID' }],
])('the route enrol refuses the code %j', async (code, answer) => {
  const body = JSON.stringify({ protocol: 1, agentVersion: '1', code, publicKey: publicKey() });
  expect(await post('/v1/enrol', body, null)).toEqual(answer);
});

/** A request of each operation that its schema takes. An operation without its line does not compile. */
const REQUESTS: Readonly<Record<ConsoleRequest['op'], object>> = {
  'store.add': { storeId: 'S1' },
  'store.change': { storeId: 'nowhere', edition: 'core' },
  'store.code': { storeId: 'nowhere', by: 'x' },
  'store.revoke': { storeId: 'nowhere', reason: 'for the matrix', by: 'x' },
  'store.decommission': { storeId: 'nowhere', reason: 'for the matrix', by: 'x' },
  'store.rotate-key': { storeId: 'S1', by: 'x' },
  'store.list': {},
  'store.show': { storeId: 'S1' },
  'store.changes': { storeId: 'S1' },
  'records.write': { collection: 'fraud_user', puts: [{ user_id: '1', status: 'MARKED' }] },
  'records.get': { collection: 'customer', key: '1' },
  'records.lost': { collection: 'customer', key: '1' },
  'records.count': { collection: 'fraud_user' },
  'sync.list': {},
  'sync.status': { storeId: 'S1' },
  'sync.manual': { storeId: 'S2', preview: true, by: 'x' },
  'sync.command': { storeId: 'S1', commandId: UUID },
  'sync.cancel': { storeId: 'nowhere' },
  'feeds.list': {},
  'quarantine.list': {},
  'exceptions.list': {},
  'exceptions.show': { opId: UUID },
  'exceptions.replay': { opId: UUID, by: 'x' },
  'exceptions.discard': { opId: UUID, reason: 'for the matrix', by: 'x' },
  'audit.list': {},
  'erase.begin': { userId: 'nobody', reason: 'for the matrix' },
  'rebuild.begin': { component: 'Stores', reason: 'for the matrix' },
  'undertaking.carry-out': { undertakingId: UUID },
  'undertaking.end': { undertakingId: UUID },
  'rollout.status': {},
  'rollout.stop': { reason: 'for the matrix' },
  'rollout.resume': { reason: 'for the matrix' },
  'rollout.finish': { reason: 'for the matrix' },
  'approvals.list': {},
  'approvals.approve': { undertakingId: UUID },
  'approvals.reject': { undertakingId: UUID, reason: 'for the matrix' },
};

const STRANGERS: Readonly<Record<string, (body: string) => Promise<string | null>>> = {
  'nothing at all': () => Promise.resolve(null),
  'the proof of a store': (body) => sign({ path: '/v1/console', body }),
  'a signature that was changed': () => Promise.resolve(`Bearer ${tampered(tokens.get('admin') ?? '')}`),
  'a token that is not signed': () => Promise.resolve(`Bearer ${unsigned(tokens.get('admin') ?? '')}`),
  'a token of another provider': async () => {
    const token = tokens.get('admin') ?? '';
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const signed = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'ES256' })
      .sign(await importJWK(key as JWK, 'ES256'));
    return `Bearer ${signed}`;
  },
  'a token signed with what everybody knows': () => {
    const [, payload] = (tokens.get('admin') ?? '').split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt' })).toString('base64url');
    const secret = createHash('sha256').update(running.stack.identity.issuer).digest();
    return Promise.resolve(
      `Bearer ${header}.${payload ?? ''}.${createHmac('sha256', secret)
        .update(`${header}.${payload ?? ''}`)
        .digest('base64url')}`,
    );
  },
};

describe.each(Object.keys(REQUESTS) as ConsoleRequest['op'][])('the operation %s of the console', (op) => {
  const body = JSON.stringify({ protocol: 1, request: { op, ...REQUESTS[op] } });

  test.each(ROLES)('by the role %s', async (role) => {
    const { status, code } = await post('/v1/console', body, `Bearer ${tokens.get(role)}`);
    if (isAllowed(role, op)) expect([400, 401, 403, 500], `${String(status)} ${code}`).not.toContain(status);
    else expect({ status, code }).toEqual({ status: 403, code: 'FORBIDDEN' });
  });

  test.each(Object.keys(STRANGERS))('by %s', async (what) => {
    expect(await post('/v1/console', body, (await STRANGERS[what]?.(body)) ?? null)).toEqual({ status: 401, code: 'UNAUTHORIZED' });
  });
});

test('a code that replaces, and a store that closes: whose place was taken is let in nowhere, a new code opens it (INV-25)', async () => {
  const at = ['--dir', cloud, '--json'];
  const enrol = async (code: string, name: string) => {
    const data = join(dir, name);
    await json(agent('enrol', '--api', running.stack.api, '--code', code, '--data', data, '--json'));
    return JSON.parse(readFileSync(join(data, 'identity.json'), 'utf8')) as Identity;
  };
  const isIn = async (as: Identity) => {
    const body = JSON.stringify({ protocol: 1, ...BODIES['plan'] });
    return (await post('/v1/plan', body, await sign({ as, path: '/v1/plan', body }))).status === 200;
  };
  const { code } = await json<{ code: string }>(storeline('store', 'add', 'S5', ...at));
  const first = await enrol(code, 'S5-first');
  const replacing = await json<{ code: string; active: string[] }>(storeline('store', 'code', 'S5', '--replace', ...at));
  expect([replacing.active, await isIn(first)]).toEqual([[first.replicaId], true]);
  const second = await enrol(replacing.code, 'S5-second');
  expect([await isIn(first), await isIn(second)]).toEqual([false, true]);
  const closed = await json<{ retired: string[] }>(storeline('store', 'decommission', 'S5', '--reason', 'the lease ends', ...at));
  expect(closed.retired).toEqual([second.replicaId]);
  expect(await isIn(second)).toBe(false);
  const shown = await storeline('store', 'show', 'S5', '--dir', cloud);
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringMatching(/Closed .*: the lease ends\n\nS5:/)]);
  const third = await enrol((await json<{ code: string }>(storeline('store', 'code', 'S5', ...at))).code, 'S5-third');
  expect([await isIn(third), await isIn(first)]).toEqual([true, false]);
  expect((await storeline('store', 'list', '--dir', cloud)).stdout).toMatch(/S5 +core/);
});

test('the audit says who did what, was refused what, and never whose record', async () => {
  const secret = 'Hepzibah';
  const asked = { op: 'records.write', collection: 'customer', puts: [{ user_id: '7', firstname: secret }] };
  await post('/v1/console', JSON.stringify({ protocol: 1, request: asked }), `Bearer ${tokens.get('admin')}`);
  // In whose name a request is done is not the request's to say.
  const forged = { op: 'store.revoke', storeId: 'nowhere', reason: 'forged', by: 'somebody else' };
  await post('/v1/console', JSON.stringify({ protocol: 1, request: forged }), `Bearer ${tokens.get('admin')}`);
  const { entries } = await json<{ entries: Record<string, unknown>[] }>(storeline('audit', '--dir', cloud, '--json'));
  expect(entries.find(({ reason }) => reason === 'forged')).toMatchObject({ who: 'admin (admin)', via: 'OIDC', outcome: 'NOT_FOUND' });
  expect(entries.find(({ op, who }) => op === 'records.write' && String(who).startsWith('admin'))).toMatchObject({
    target: 'customer',
    request: { collection: 'customer', puts: 1, deletes: 0 },
    outcome: 'DONE',
  });
  expect(entries.find(({ op, role }) => op === 'store.revoke' && role === 'viewer')).toMatchObject({ outcome: 'FORBIDDEN' });
  expect(entries.find(({ via, op }) => via === 'IAM' && op === 'store.revoke')).toMatchObject({
    target: 'S3',
    reason: 'for the matrix',
    outcome: 'DONE',
  });
  expect(JSON.stringify(entries)).not.toContain(secret);
  expect(entries.filter(({ op }) => op === 'store.list')).toEqual([]);
});

test('wrong codes are refused, and after five of an hour from one address every code', async () => {
  // A new hour would count anew: what came before in this file is in it as well.
  const attempt = (code: string) =>
    post('/v1/enrol', JSON.stringify({ protocol: 1, code, publicKey: publicKey(), agentVersion: '1' }), null);
  const wrong: Answer[] = [];
  for (let tries = 0; tries < 6; tries += 1) wrong.push(await attempt('1'.repeat(26)));
  expect(wrong.at(-1)).toEqual({ status: 429, code: 'ENROL_LIMIT' });
  expect(wrong[0]).toEqual({ status: 401, code: 'CODE_INVALID' });
  const { code } = await json<{ code: string }>(storeline('store', 'code', 'S1', '--dir', cloud, '--json'));
  expect(await attempt(code)).toEqual({ status: 429, code: 'ENROL_LIMIT' });
});
