import { createHash } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TinyProvider } from '../../test/fixtures/tiny-provider.ts';
import { beginSignIn, renew, revoke } from './provider.ts';

const RETURN = 'http://localhost:8751/';
let provider: TinyProvider;
const ours = () => ({ issuer: provider.issuer, clientId: 'cli', scopes: ['openid', 'email'] });

beforeEach(async () => {
  provider = await TinyProvider.start();
});
afterEach(() => provider.close());

interface Differently {
  readonly sign?: TinyProvider['sign'];
  readonly back?: Readonly<Record<string, string>>;
}

/** A sign-in up to where the browser comes back, and what the provider then says of it. */
async function finish(claims: object = {}, { sign = provider.sign.bind(provider), back = {} }: Differently = {}) {
  const beginning = await beginSignIn(ours(), RETURN);
  const nonce = beginning.url.searchParams.get('nonce') ?? '';
  const idToken = await sign({ sub: 'u1', aud: 'cli', nonce, email: 'ann@example.org', ...claims });
  const answer = { access_token: 'at', token_type: 'Bearer', expires_in: 900, refresh_token: 'rt', id_token: idToken };
  provider.answer = () => Promise.resolve([200, answer]);
  const returned = new URL(RETURN);
  for (const [name, value] of Object.entries({ code: 'c1', state: beginning.state, ...back })) returned.searchParams.set(name, value);
  return beginning.finish(returned);
}

describe('a sign-in', () => {
  test('is who the id token says, by its address where it has one', async () => {
    expect(await finish()).toEqual({ accessToken: 'at', refreshToken: 'rt', lifeMs: 900_000, name: 'ann@example.org', subject: 'u1' });
    expect(await finish({ email: undefined })).toMatchObject({ name: 'u1', subject: 'u1' });
  });

  test('shows the provider a digest of its verifier first and the verifier with the code; another one each time', async () => {
    const seen: string[] = [];
    for (const _ of [1, 2]) {
      const beginning = await beginSignIn(ours(), RETURN);
      const { searchParams } = beginning.url;
      expect(Object.fromEntries(searchParams)).toMatchObject({
        response_type: 'code',
        redirect_uri: RETURN,
        scope: 'openid email',
        code_challenge_method: 'S256',
        prompt: 'login',
      });
      provider.answer = (form) => {
        const digest = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        expect([form.get('grant_type'), form.get('code'), form.get('redirect_uri')]).toEqual(['authorization_code', 'c1', RETURN]);
        expect(digest).toBe(searchParams.get('code_challenge'));
        seen.push(digest, searchParams.get('state') ?? '', searchParams.get('nonce') ?? '');
        return Promise.resolve([400, { error: 'invalid_grant', error_description: 'the code is used' }]);
      };
      const back = beginning.finish(new URL(`?code=c1&state=${beginning.state}`, RETURN));
      await expect(back).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: expect.stringContaining('the code is used') as string });
    }
    expect(new Set(seen).size).toBe(6);
  });

  test.each<[string, object]>([
    ['another nonce: the token of another sign-in', { nonce: 'n2' }],
    ['no nonce', { nonce: undefined }],
    ['another audience', { aud: 'mail' }],
    ['another issuer', { iss: 'https://others.example' }],
    ['a time that is over', { exp: 1 }],
    ['nobody', { sub: undefined }],
  ])('is refused when the id token is for %s', async (_, claims) => {
    await expect(finish(claims)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('is refused when the id token is signed by somebody else', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    await expect(finish({}, { sign: (claims) => provider.sign(claims, privateKey) })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test.each<[string, Record<string, string>]>([
    ['another state', { state: 's2' }],
    ['a no of the provider', { error: 'access_denied', error_description: 'not today' }],
  ])('is refused when the browser brings %s', async (_, back) => {
    await expect(finish({}, { back })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('nobody is asked whose document is of another issuer, or who does not answer', async () => {
    provider.metadata = { issuer: 'https://others.example' };
    await expect(beginSignIn(ours(), RETURN)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(beginSignIn({ ...ours(), issuer: 'http://127.0.0.1:9' }, RETURN)).rejects.toMatchObject({ code: 'CONNECTIVITY' });
  });

  test('a provider that is not on this machine is asked by TLS only', async () => {
    await expect(beginSignIn({ ...ours(), issuer: 'http://people.example' }, RETURN)).rejects.toMatchObject({
      message: expect.stringContaining('HTTP') as string,
    });
  });
});

test('a renewal keeps the refresh token of a provider that gives no other, and takes the one that it gives', async () => {
  provider.answer = () => Promise.resolve([200, { access_token: 'at2', token_type: 'Bearer', expires_in: 60 }]);
  expect(await renew(ours(), 'rt')).toEqual({ accessToken: 'at2', refreshToken: 'rt', lifeMs: 60_000 });
  provider.answer = (form) =>
    Promise.resolve([200, { access_token: 'at3', token_type: 'Bearer', refresh_token: `${form.get('refresh_token')}2` }]);
  expect(await renew(ours(), 'rt')).toEqual({ accessToken: 'at3', refreshToken: 'rt2', lifeMs: 300_000 });
});

test('a sign-in is over when the provider says that of it, and not of the request or of itself', async () => {
  provider.answer = () => Promise.resolve([400, { error: 'invalid_grant' }]);
  expect(await renew(ours(), 'rt')).toBeNull();
  const noes: [number, object, string][] = [
    [500, {}, 'CONNECTIVITY'],
    [503, { error: 'temporarily_unavailable' }, 'CONNECTIVITY'],
    [400, { error: 'temporarily_unavailable' }, 'CONNECTIVITY'],
    [429, { error: 'slow_down' }, 'CONNECTIVITY'],
    [401, { error: 'invalid_client' }, 'UNAUTHORIZED'],
  ];
  for (const [status, said, code] of noes) {
    provider.answer = () => Promise.resolve([status, said]);
    await expect(renew(ours(), 'rt')).rejects.toMatchObject({ code });
  }
});

test('a provider with no way to take a sign-in back says so', async () => {
  expect(await revoke(ours(), 'rt')).toBe(false);
});
