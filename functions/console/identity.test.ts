import { type CryptoKey, SignJWT, createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { type IdentityDeps, personOf } from './identity.ts';

const NOW = Date.parse('2026-11-24T10:00:00.000Z');
const ISSUER = 'https://people.example';
let deps: IdentityDeps;
let key: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  key = pair.privateKey;
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256', use: 'sig' }] });
  deps = { keys, issuer: ISSUER, audience: 'console', now: () => NOW };
});

interface Claims {
  readonly [name: string]: unknown;
}

async function bearer(claims: Claims = {}, times: { readonly issuedS?: number; readonly lifeS?: number } = {}): Promise<string> {
  const issued = NOW / 1_000 + (times.issuedS ?? 0);
  const jwt = new SignJWT({ sub: 'u1', iss: ISSUER, aud: 'console', groups: ['storeline-viewer'], ...claims });
  return `Bearer ${await jwt
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuedAt(issued)
    .setExpirationTime(issued + (times.lifeS ?? 900))
    .sign(key)}`;
}

describe('who a person is (INV-49)', () => {
  test('the highest of the groups, by whichever claim the provider has for them', async () => {
    expect(await personOf(deps, await bearer())).toEqual({ name: 'u1', subject: 'u1', role: 'viewer', via: 'OIDC' });
    const groups = ['everybody', 'storeline-operator', 'storeline-viewer'];
    expect(await personOf(deps, await bearer({ groups: [], 'cognito:groups': groups, email: 'ann@example.org' }))).toEqual({
      name: 'ann@example.org (u1)',
      subject: 'u1',
      role: 'operator',
      via: 'OIDC',
    });
    expect((await personOf(deps, await bearer({ groups: ['storeline-admin'] }))).role).toBe('admin');
  });

  test('an access token that names its client and no audience', async () => {
    expect(await personOf(deps, await bearer({ aud: undefined, client_id: 'console', token_use: 'access' }))).toMatchObject({
      role: 'viewer',
    });
  });

  test.each<[string, Claims, { issuedS?: number; lifeS?: number }, string]>([
    ['another issuer', { iss: 'https://others.example' }, {}, 'UNAUTHORIZED'],
    ['another audience', { aud: 'mail' }, {}, 'UNAUTHORIZED'],
    ['another client', { aud: undefined, client_id: 'mail', token_use: 'access' }, {}, 'UNAUTHORIZED'],
    ['another audience, by our client', { aud: 'mail', client_id: 'console', token_use: 'access' }, {}, 'UNAUTHORIZED'],
    ['no audience in a token that is not for access', { aud: undefined, client_id: 'console' }, {}, 'UNAUTHORIZED'],
    ['no audience at all', { aud: undefined }, {}, 'UNAUTHORIZED'],
    ['a token that ran out a minute ago', {}, { issuedS: -960 }, 'UNAUTHORIZED'],
    ['a token of nobody', { sub: undefined }, {}, 'UNAUTHORIZED'],
    ['no group of ours', { groups: ['admin', 'storeline-owner'] }, {}, 'FORBIDDEN'],
    ['groups that are no list', { groups: 'storeline-admin' }, {}, 'FORBIDDEN'],
  ])('refuses %s', async (_, claims, times, code) => {
    await expect(personOf(deps, await bearer(claims, times))).rejects.toMatchObject({ code });
  });

  test.each([undefined, '', 'Bearer', 'Basic YTpi', 'Bearer x.y.z'])('refuses the header %j', async (header) => {
    await expect(personOf(deps, header)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
