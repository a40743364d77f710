import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { afterEach, expect, test } from 'vitest';
import { personOf } from './identity.ts';
import { providerKeys } from './provider-keys.ts';

let server: Server | null = null;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  server = null;
});

/** A provider whose keys are somewhere else than most have them. */
async function provider(said: (issuer: string) => object, keys: object): Promise<string> {
  const started = createServer((request, response) => {
    const isDiscovery = request.url === '/.well-known/openid-configuration';
    const body = isDiscovery ? said(addressOf(started)) : request.url === '/discovery/v2.0/keys' ? keys : null;
    response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return addressOf(started);
}

function addressOf(started: Server): string {
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

async function pair(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid } };
}

function asks(issuer: string, keys = providerKeys(issuer)) {
  return { issuer, audience: 'console', now: () => Date.now(), keys };
}

async function token(issuer: string, key: CryptoKey, kid: string): Promise<string> {
  const jwt = new SignJWT({ sub: 'u', iss: issuer, aud: 'console', groups: ['storeline-viewer'] });
  return `Bearer ${await jwt.setProtectedHeader({ alg: 'ES256', kid }).setIssuedAt().setExpirationTime('5m').sign(key)}`;
}

test('keys are where the provider says they are; a key that it does not have is no key', async () => {
  const { privateKey, jwk } = await pair('k1');
  const issuer = await provider((own) => ({ issuer: own, jwks_uri: `${own}/discovery/v2.0/keys` }), { keys: [jwk] });
  const deps = asks(issuer);
  expect(await personOf(deps, await token(issuer, privateKey, 'k1'))).toMatchObject({ role: 'viewer' });
  const other = await pair('k2');
  await expect(personOf(deps, await token(issuer, other.privateKey, 'k2'))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('a provider that cannot be asked, or speaks for another issuer, is no fault of the token', async () => {
  const { privateKey, jwk } = await pair('k1');
  const issuer = await provider((own) => ({ issuer: 'https://others.example', jwks_uri: `${own}/discovery/v2.0/keys` }), { keys: [jwk] });
  await expect(personOf(asks(issuer), await token(issuer, privateKey, 'k1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const nobody = 'http://127.0.0.1:9';
  await expect(personOf(asks(nobody), await token(nobody, privateKey, 'k1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('one that was down is asked again', async () => {
  const { privateKey, jwk } = await pair('k1');
  let isUp = false;
  const issuer = await provider((own) => (isUp ? { issuer: own, jwks_uri: `${own}/discovery/v2.0/keys` } : {}), { keys: [jwk] });
  const deps = asks(issuer);
  await expect(personOf(deps, await token(issuer, privateKey, 'k1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  isUp = true;
  expect(await personOf(deps, await token(issuer, privateKey, 'k1'))).toMatchObject({ role: 'viewer' });
});
