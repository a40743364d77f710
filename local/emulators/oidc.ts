/**
 * The identity provider of a stack without an account: a certified OpenID Connect provider on the loopback address, with one
 * person per role and a second admin, for what takes two. They sign in by its page, with a code and its verifier (PKCE), as in the cloud; for scripts and tests each is a
 * client as well, and `client_credentials` gives it a token. Its key and its sessions are made at every start.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK } from 'jose';
import Provider, { type Configuration, errors, interactionPolicy } from 'oidc-provider';
import { type Role, groupOf } from '../../protocol/role.ts';
import { SIGN_IN_PORTS, SIGN_IN_SCOPES, returnAddress } from '../../protocol/sign-in.ts';
import { signInPage } from './sign-in-page.ts';

/** Whom its tokens are for, and by which client people sign in. */
interface Audience {
  readonly audience: string;
  readonly clientId: string;
}

export interface OidcEmulator {
  readonly issuer: string;
  readonly secrets: Secrets;
  open(audience: Audience): void;
  close(): Promise<void>;
}

const TOKEN_S = 15 * 60;
const SIGNED_IN_S = 12 * 3_600;
/** People, by what they may do. */
const PEOPLE = { viewer: 'viewer', operator: 'operator', admin: 'admin', 'other-admin': 'admin' } as const satisfies Record<string, Role>;
type Person = keyof typeof PEOPLE;
type Secrets = Readonly<Record<Person, string>>;
const NAMES = Object.keys(PEOPLE) as Person[];
const PAGE = '/sign-in/';

export async function startOidc(): Promise<OidcEmulator> {
  let handle: Handler | null = null;
  const server = createServer((request, response) => {
    if (handle === null) response.writeHead(503).end();
    else void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secrets = Object.fromEntries(NAMES.map((name) => [name, randomBytes(24).toString('base64url')])) as Secrets;
  const key = { ...(await exportJWK(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)), use: 'sig', alg: 'ES256' };
  return {
    issuer,
    secrets,
    open: (audience) => {
      handle = withPage(new Provider(issuer, configuration({ ...audience, secrets, key })));
    },
    close: () => closed(server),
  };
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The provider, and the page on which it asks who somebody is. */
function withPage(provider: Provider): Handler {
  const handle = provider.callback();
  return async (request, response) => {
    if (request.url?.startsWith(PAGE) !== true) return handle(request, response);
    try {
      const { uid } = await provider.interactionDetails(request, response);
      const person = request.method === 'POST' ? new URLSearchParams(await text(request)).get('person') : null;
      if (person !== null && Object.hasOwn(PEOPLE, person))
        return await provider.interactionFinished(request, response, { login: { accountId: person } });
      const people = NAMES.map((name) => ({ name, role: PEOPLE[name] }));
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(signInPage(uid, people));
    } catch (error) {
      const isTheirs = error instanceof errors.OIDCProviderError;
      response
        .writeHead(isTheirs ? 400 : 500, { 'content-type': 'text/plain; charset=utf-8' })
        .end('This sign-in is over, or began in another browser. Begin again at the command line.\n');
    }
  };
}

interface ProviderParts extends Audience {
  readonly secrets: Secrets;
  readonly key: object;
}

function configuration({ secrets, key, audience, clientId }: ProviderParts): Configuration {
  return {
    jwks: { keys: [key] },
    clients: [
      ...NAMES.map((name) => ({
        client_id: name,
        client_secret: secrets[name],
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256' as const,
      })),
      {
        client_id: clientId,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: SIGN_IN_PORTS.map(returnAddress),
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    scopes: [...SIGN_IN_SCOPES],
    claims: { openid: ['sub'], email: ['email'] },
    conformIdTokenClaims: false,
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: `${accountId}@storeline.example` }),
    }),
    extraTokenClaims: (_context, token) => claimsOf(String('accountId' in token ? token.accountId : token.clientId)),
    // The organization's own program asks for nothing that people would have to agree to.
    interactions: { url: (_context, { uid }) => `${PAGE}${uid}`, policy: whoOnly() },
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session?.accountId });
      grant.addOIDCScope(SIGN_IN_SCOPES.join(' '));
      await grant.save();
      return grant;
    },
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    ttl: { AccessToken: TOKEN_S, IdToken: TOKEN_S, RefreshToken: SIGNED_IN_S, Grant: SIGNED_IN_S, Session: SIGNED_IN_S, Interaction: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:storeline:console',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: TOKEN_S,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  };
}

function whoOnly(): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.remove('consent');
  return policy;
}

function claimsOf(name: string): { groups: string[]; username: string } {
  return { groups: Object.hasOwn(PEOPLE, name) ? [groupOf(PEOPLE[name as Person])] : [], username: name };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
