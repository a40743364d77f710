/**
 * The identity provider, as the command line speaks to it: a code with its verifier (PKCE, RFC 7636), its state and its nonce checked, and the id token's signature, audience
 * and issuer too. What goes wrong is a typed error that says what to do.
 */
import * as oidc from 'openid-client';
import { SyncError } from '../../protocol/sync-error.ts';

export interface Provider {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

export interface Tokens {
  readonly accessToken: string;
  /** null: the provider gives none, and who signed in does so again when the token runs out. */
  readonly refreshToken: string | null;
  readonly lifeMs: number;
}

export interface SignedIn extends Tokens {
  /** For people to read: an e-mail address where there is one. */
  readonly name: string;
  readonly subject: string;
}

export interface Beginning {
  /** For the browser. */
  readonly url: URL;
  /** Comes back with the code. It is in the address, which other users of this machine may see while a browser is started with it. */
  readonly state: string;
  finish(returned: URL): Promise<SignedIn>;
}

const ANSWER_S = 15;
/** When a provider does not say how long a token is good for. */
const LIFE_S = 5 * 60;

export async function beginSignIn(provider: Provider, returnTo: string): Promise<Beginning> {
  const config = await configured(provider);
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: returnTo,
    scope: provider.scopes.join(' '),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    // Whoever stands there says who they are, whoever was there before.
    prompt: 'login',
  });
  return { url, state, finish };

  async function finish(returned: URL): Promise<SignedIn> {
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    const answer = await asked(() => oidc.authorizationCodeGrant(config, returned, checks));
    const claims = answer.claims();
    if (claims === undefined) throw new SyncError('UNAUTHORIZED', 'the identity provider does not say who signed in');
    const email = claims['email'];
    return { ...tokensOf(answer), name: typeof email === 'string' ? email : claims.sub, subject: claims.sub };
  }
}

/** null: the provider takes this refresh token no more. */
export async function renew(provider: Pick<Provider, 'issuer' | 'clientId'>, refreshToken: string): Promise<Tokens | null> {
  const config = await configured(provider);
  const answer = await asked(() => oidc.refreshTokenGrant(config, refreshToken).catch(goneOrError));
  if (answer === null) return null;
  const tokens = tokensOf(answer);
  // Some give another one each time, and some do not.
  return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
}

/** false: the provider has no way to take it back, so it is good until it runs out. */
export async function revoke(provider: Pick<Provider, 'issuer' | 'clientId'>, token: string): Promise<boolean> {
  const config = await configured(provider);
  if (config.serverMetadata().revocation_endpoint === undefined) return false;
  await asked(() => oidc.tokenRevocation(config, token));
  return true;
}

async function configured({ issuer, clientId }: Pick<Provider, 'issuer' | 'clientId'>): Promise<oidc.Configuration> {
  const execute = [oidc.enableNonRepudiationChecks, ...(isOnThisMachine(issuer) ? [oidc.allowInsecureRequests] : [])];
  return asked(() => oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), { execute, timeout: ANSWER_S }));
}

/** Of a stack on a laptop; any other provider is asked by TLS or not at all. */
function isOnThisMachine(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer);
  return protocol === 'http:' && hostname === '127.0.0.1';
}

function tokensOf(answer: oidc.TokenEndpointResponse): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? null,
    lifeMs: (answer.expires_in ?? LIFE_S) * 1_000,
  };
}

async function asked<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw typed(cause);
  }
}

/** Any other no is about this request and not about the sign-in (RFC 6749, 5.2). */
function goneOrError(error: unknown): null {
  if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return null;
  throw error;
}

function typed(cause: unknown): SyncError {
  if (cause instanceof oidc.ResponseBodyError && isPassing(cause))
    return new SyncError('CONNECTIVITY', `the identity provider is busy: ${cause.error_description ?? cause.error}; try again`, { cause });
  if (cause instanceof oidc.AuthorizationResponseError || cause instanceof oidc.ResponseBodyError) {
    const said = cause.error_description ?? cause.error;
    return new SyncError('UNAUTHORIZED', `the identity provider says no: ${said}`, { cause });
  }
  if (cause instanceof oidc.ClientError && cause.code !== 'OAUTH_TIMEOUT' && !isOfServer(cause))
    return new SyncError('UNAUTHORIZED', `what the identity provider answered cannot be trusted: ${reason(cause)}`, { cause });
  return new SyncError('CONNECTIVITY', `the identity provider cannot be reached: ${reason(cause)}`, { cause });
}

function isPassing({ status, error }: oidc.ResponseBodyError): boolean {
  return status === 429 || status >= 500 || error === 'temporarily_unavailable' || error === 'server_error';
}

/** Trouble of the provider's own, which passes, and no answer. */
function isOfServer({ cause }: Error): boolean {
  return cause instanceof Response && cause.status >= 500;
}

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
