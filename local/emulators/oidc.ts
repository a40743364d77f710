/**
 * The identity provider of a stack without an account: a certified OpenID Connect provider on the loopback address, with one
 * client per role. `client_credentials` gives each a token with its group, so that scripts and tests hold real tokens. Its key is
 * made at every start, and is where its discovery document says.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
import Provider from 'oidc-provider';
import { ROLES, type Role } from '../../protocol/console-roles.ts';

export interface OidcEmulator {
  readonly issuer: string;
  /** Of the client with the name of each role. */
  readonly secrets: Readonly<Record<Role, string>>;
  /** Whom its tokens are for. */
  open(audience: string): void;
  close(): Promise<void>;
}

const TOKEN_S = 15 * 60;

export async function startOidc(): Promise<OidcEmulator> {
  let handle: ReturnType<Provider['callback']> | null = null;
  const server = createServer((request, response) => {
    if (handle === null) response.writeHead(503).end();
    else void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secrets = Object.fromEntries(ROLES.map((role) => [role, randomBytes(24).toString('base64url')])) as Record<Role, string>;
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
  readonly secrets: Readonly<Record<Role, string>>;
  readonly key: object;
  readonly audience: string;
}

function provider({ issuer, secrets, key, audience }: ProviderParts): Provider {
  return new Provider(issuer, {
    jwks: { keys: [key] },
    clients: ROLES.map((role) => ({
      client_id: role,
      client_secret: secrets[role],
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    cookies: { keys: [randomBytes(24).toString('base64url')] },
    extraTokenClaims: (_context, token) => ({ groups: [`storeline-${String(token.clientId)}`], username: String(token.clientId) }),
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
