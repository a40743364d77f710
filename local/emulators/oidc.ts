/**
 * The identity provider of a stack without an account: a certified OpenID Connect provider on the loopback address, with one
 * client per role and a second admin, for what takes two. `client_credentials` gives each a token with its group, so that scripts and tests hold real tokens. Its key is
 * made at every start, and is where its discovery document says.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import Provider from 'oidc-provider';
import type { Role } from '../../protocol/console-roles.ts';

export interface OidcEmulator {
  readonly issuer: string;
  readonly secrets: Secrets;
  /** Whom its tokens are for. */
  open(audience: string): void;
  close(): Promise<void>;
}

const TOKEN_S = 15 * 60;
/** Clients, by what they may do. */
const CLIENTS = { viewer: 'viewer', operator: 'operator', admin: 'admin', 'other-admin': 'admin' } as const satisfies Record<string, Role>;
type Client = keyof typeof CLIENTS;
type Secrets = Readonly<Record<Client, string>>;
const CLIENT_NAMES = Object.keys(CLIENTS) as Client[];

export async function startOidc(): Promise<OidcEmulator> {
  let handle: ReturnType<Provider['callback']> | null = null;
  const server = createServer((request, response) => {
    if (handle === null) response.writeHead(503).end();
    else void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secrets = Object.fromEntries(CLIENT_NAMES.map((name) => [name, randomBytes(24).toString('base64url')])) as Secrets;
  const key = { ...(await exportJWK(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)), use: 'sig', alg: 'ES256' };
  return {
    issuer,
    secrets,
    open: (audience) => {
      handle = provider({ issuer, secrets, key, audience }).callback();
    },
    close: () => closed(server),
  };
}

interface ProviderParts {
  readonly issuer: string;
  readonly secrets: Secrets;
  readonly key: object;
  readonly audience: string;
}

function provider({ issuer, secrets, key, audience }: ProviderParts): Provider {
  return new Provider(issuer, {
    jwks: { keys: [key] },
    clients: CLIENT_NAMES.map((name) => ({
      client_id: name,
      client_secret: secrets[name],
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    extraTokenClaims: (_context, token) => ({
      groups: [`storeline-${CLIENTS[token.clientId as Client]}`],
      username: String(token.clientId),
    }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:storeline:console',
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: TOKEN_S,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
