import { type CryptoKey, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryProofMemory } from '../../test/simulation/world/memory-proof-memory.ts';
import { sha256Base64Url } from '../../codec/pack.ts';
import type { PublicKey } from '../../core/ports/store-registry.ts';
import { limits } from '../../protocol/limits.ts';
import { REQUEST_PROOF_TYPE } from '../../protocol/request-proof.ts';
import { authenticate, authenticateOnce } from './authenticate.ts';
import { RequestBudgets } from './request-budgets.ts';

const NOW = Date.parse('2026-11-23T08:00:00Z');
const body = Buffer.from('{"protocol":1}');
const registry = new MemoryStoreRegistry();
let own: CryptoKey;
let foreign: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  own = pair.privateKey;
  foreign = (await generateKeyPair('ES256')).privateKey;
  const { x, y } = await exportJWK(pair.publicKey);
  const publicKey: PublicKey = { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' };
  await registry.addStore({ storeId: 'S1', name: 'S1', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
  for (const [uuid, status] of [
    ['u', 'ACTIVE'],
    ['gone', 'REVOKED'],
  ] as const) {
    registry.replicas.set(`S1:${uuid}`, { replicaId: `S1:${uuid}`, storeId: 'S1', publicKey, status, enrolledAt: '' });
  }
});

interface Proof {
  key?: CryptoKey;
  kid?: string;
  iss?: string;
  aud?: string;
  typ?: string;
  claims?: Record<string, unknown>;
  scheme?: string;
}

async function request(proof: Proof) {
  const kid = proof.kid ?? 'S1:u';
  const claims = { htm: 'POST', htp: '/v1/plan', bd: sha256Base64Url(body), iat: NOW / 1_000, jti: 'j', ...proof.claims };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: proof.typ ?? REQUEST_PROOF_TYPE, kid })
    .setIssuer(proof.iss ?? kid)
    .setAudience(proof.aud ?? 'demo')
    .sign(proof.key ?? own);
  return {
    method: 'POST',
    path: '/v1/plan',
    headers: { authorization: `${proof.scheme ?? 'Storeline'} ${token}` },
    rawBody: body,
    body: {},
  };
}

/** Nobody asks too often here. */
const budgets = { take: () => {} };
const check = async (proof: Proof) =>
  authenticate({ registry, clock: { now: () => NOW }, audience: 'demo', budgets }, await request(proof));

test('INV-24: a request signed by an active replica is that replica', async () => {
  expect((await check({})).replica.replicaId).toBe('S1:u');
  expect((await check({ claims: { iat: NOW / 1_000 - 119 } })).store.storeId).toBe('S1');
});

test.each<[string, Proof]>([
  ['another key', {}],
  ['a revoked replica', { kid: 'S1:gone' }],
  ['an unknown replica', { kid: 'S2:u' }],
  ['another issuer', { iss: 'S1:other' }],
  ['another organization', { aud: 'other' }],
  ['another kind of token', { typ: 'JWT' }],
  ['another method', { claims: { htm: 'GET' } }],
  ['another path', { claims: { htp: '/v1/report' } }],
  ['another body', { claims: { bd: sha256Base64Url('{}') } }],
  ['a bearer scheme', { scheme: 'Bearer' }],
  ['no jti', { claims: { jti: '' } }],
])('%s is refused, and the answer does not say why', async (name, proof) => {
  const used = name === 'another key' ? { ...proof, key: foreign } : proof;
  await expect(check(used)).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
    message: 'the request is not signed by an active replica of this organization',
  });
});

test('no header, and garbage in it, are refused', async () => {
  for (const headers of [{}, { authorization: 'Storeline a.b.c' }, { authorization: 'Storeline' }, { authorization: '' }]) {
    await expect(
      authenticate({ registry, clock: { now: () => NOW }, audience: 'demo', budgets }, { ...(await request({})), headers }),
    ).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  }
});

test.each([7, null, {}, ['S1:u'], '', `S1:${'u'.repeat(3_000)}`, 'S1:ü'])(
  'a key id that is none is refused like every other: %#',
  async (kid) => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: REQUEST_PROOF_TYPE, kid })).toString('base64url');
    const asked: string[] = [];
    const asking = {
      takeKey: () => Promise.resolve(),
      readReplica: (replicaId: string) => {
        asked.push(replicaId);
        return registry.readReplica(replicaId);
      },
    };
    const headers = { authorization: `Storeline ${header}.e30.c2ln` };
    await expect(
      authenticate({ registry: asking, clock: { now: () => NOW }, audience: 'demo', budgets }, { ...(await request({})), headers }),
    ).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(asked).toEqual([]);
  },
);

test('a wrong clock is told only to a valid signature', async () => {
  await expect(check({ claims: { iat: NOW / 1_000 - 3_600 } })).rejects.toMatchObject({
    code: 'CLOCK_SKEW',
    details: { skewMs: -3_600_000 },
  });
  await expect(check({ key: foreign, claims: { iat: NOW / 1_000 - 3_600 } })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('INV-54: where it counts a proof is taken once; a new one of the same request is taken again', async () => {
  const deps = { registry, clock: { now: () => NOW }, audience: 'demo', budgets, proofs: new MemoryProofMemory() };
  const [first, second] = [await request({}), await request({ claims: { jti: 'k' } })];
  expect((await authenticateOnce(deps, first)).replica.replicaId).toBe('S1:u');
  await expect(authenticateOnce(deps, first)).rejects.toMatchObject({ code: 'REPLAYED' });
  expect((await authenticateOnce(deps, second)).store.storeId).toBe('S1');
  // Where a repeat does nothing it is answered again.
  expect((await authenticate(deps, first)).store.storeId).toBe('S1');
});

test('INV-54: who has no valid signature uses nothing up, and does not hear what was used', async () => {
  const deps = { registry, clock: { now: () => NOW }, audience: 'demo', budgets, proofs: new MemoryProofMemory() };
  for (const proof of [{ key: foreign }, { claims: { htp: '/v1/fork' } }, { claims: { iat: NOW / 1_000 - 3_600 } }])
    await expect(authenticateOnce(deps, await request(proof))).rejects.toMatchObject({
      code: expect.stringMatching(/UNAUTHORIZED|CLOCK_SKEW/) as string,
    });
  expect((await authenticateOnce(deps, await request({}))).store.storeId).toBe('S1');
  await expect(authenticateOnce(deps, await request({ key: foreign }))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('INV-55: two keys are good until the new one is used first, and only the new one after a day', async () => {
  const time = { now: NOW };
  const since = new Date(NOW).toISOString();
  const { publicKey } = registry.replicas.get('S1:u') ?? {};
  const { privateKey, publicKey: other } = await generateKeyPair('ES256');
  const { x, y } = await exportJWK(other);
  const next: PublicKey = { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' };
  const by = async (key: CryptoKey) => {
    const signed = await request({ key, kid: 'S1:k', claims: { iat: time.now / 1_000 } });
    return authenticate({ registry, clock: { now: () => time.now }, audience: 'demo', budgets }, signed);
  };
  const offered = () => {
    if (publicKey === undefined) throw new Error('it is there');
    const replica = { replicaId: 'S1:k', storeId: 'S1', publicKey, status: 'ACTIVE', enrolledAt: '' } as const;
    registry.replicas.set('S1:k', { ...replica, nextKey: { publicKey: next, since } });
  };
  offered();
  time.now = NOW + limits.keyOverlapMs - 1_000;
  expect((await by(own)).replica.publicKey).toEqual(publicKey);
  expect((await by(privateKey)).replica).toMatchObject({ publicKey: next, keySince: since });
  expect(registry.replicas.get('S1:k')).toMatchObject({ publicKey: next, keySince: since });
  expect(registry.replicas.get('S1:k')?.nextKey).toBeUndefined();
  await expect(by(own)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  expect((await by(privateKey)).replica.publicKey).toEqual(next);

  offered();
  time.now = NOW + limits.keyOverlapMs;
  await expect(by(own)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  await expect(by(foreign)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  expect((await by(privateKey)).replica.publicKey).toEqual(next);
});

test('how far a clock is off is told by the clock as it is, or by the time of the proof where an older agent says no more', async () => {
  expect((await check({ claims: { clk: NOW + 7_200_000 } })).skewMs).toBe(7_200_000);
  expect((await check({ claims: { iat: NOW / 1_000 - 60 } })).skewMs).toBe(-60_000);
});

test('an agent that asks without end waits; a request that it did not sign takes nothing of what it has left', async () => {
  const few = new RequestBudgets({ perSecond: 1, burst: 2 }, 10);
  const deps = { registry, clock: { now: () => NOW }, audience: 'demo', budgets: few };
  for (let times = 0; times < 3; times += 1)
    await expect(authenticate(deps, await request({ key: foreign }))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  for (let times = 0; times < 2; times += 1) await authenticate(deps, await request({}));
  await expect(authenticate(deps, await request({}))).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
});
