import { type CryptoKey, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { sha256Base64Url } from '../../codec/pack.ts';
import type { PublicKey } from '../../core/ports/store-registry.ts';
import { REQUEST_PROOF_TYPE } from '../../protocol/request-proof.ts';
import { authenticate } from './authenticate.ts';

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

const check = async (proof: Proof) => authenticate({ registry, clock: { now: () => NOW }, audience: 'demo' }, await request(proof));

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
      authenticate({ registry, clock: { now: () => NOW }, audience: 'demo' }, { ...(await request({})), headers }),
    ).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  }
});

test.each([7, null, {}, ['S1:u'], '', `S1:${'u'.repeat(3_000)}`, 'S1:ü'])(
  'a key id that is none is refused like every other: %#',
  async (kid) => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: REQUEST_PROOF_TYPE, kid })).toString('base64url');
    const asked: string[] = [];
    const asking = {
      readReplica: (replicaId: string) => {
        asked.push(replicaId);
        return registry.readReplica(replicaId);
      },
    };
    const headers = { authorization: `Storeline ${header}.e30.c2ln` };
    await expect(
      authenticate({ registry: asking, clock: { now: () => NOW }, audience: 'demo' }, { ...(await request({})), headers }),
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
