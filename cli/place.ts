/** Where a head office is and how people sign in to it: of an organization that is deployed, or of the local stack of a folder. */
import { realpathSync } from 'node:fs';
import type { LocalStack } from '../protocol/local-stack.ts';
import { SIGN_IN_SCOPES } from '../protocol/sign-in.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type Deployed, functionsOf, readDeployed } from './deploy/deployed.ts';
import { organizationsFolder } from './deploy/org-options.ts';
import type { Provider } from './people/provider.ts';

export interface Place {
  /** What tells it from any other; the same over restarts and deployments. */
  readonly office: string;
  readonly organization: string;
  /** Base URL of its HTTP API. */
  readonly api: string;
  readonly region: string;
  /** By the folder of each. */
  readonly functions: Readonly<Record<string, string>>;
  /** Of a local stack; without it functions are invoked in AWS, by the environment's credentials or those of `profile`. */
  readonly lambda?: string;
  readonly profile?: string;
  /** null: its people cannot sign in with the command line. */
  readonly provider: Provider | null;
}

/** The same over restarts, and also while none runs there. */
export function localOffice(dir: string): string {
  return `dir:${realpathSync(dir)}`;
}

export function localPlace(dir: string, { organization, api, region, functions, endpoints, identity }: LocalStack): Place {
  const { issuer, clientId } = identity;
  const provider = { issuer, clientId, scopes: SIGN_IN_SCOPES };
  return { office: localOffice(dir), organization, api, region, functions, lambda: endpoints.lambda, provider };
}

export function deployedPlace(org: string, profile: string | undefined): Place {
  const deployed = readDeployed(organizationsFolder(), org);
  if (deployed === null)
    throw new SyncError(
      'NOT_READY',
      `this machine knows of no deployment of ${org}; \`storeline org outputs ${org} --refresh\` reads it from AWS`,
    );
  const { account, region, stack, outputs } = deployed;
  return {
    office: `aws:${account}:${region}:${stack}`,
    organization: org,
    api: (outputs['ApiUrl'] ?? '').replace(/\/$/, ''),
    region,
    functions: functionsOf(deployed),
    ...(profile === undefined ? {} : { profile }),
    provider: providerOf(deployed),
  };
}

function providerOf({ outputs }: Deployed): Provider | null {
  const { IdentityIssuer: issuer, IdentityClientId: clientId, IdentityScopes: scopes } = outputs;
  if (issuer === undefined || clientId === undefined || scopes === undefined) return null;
  return { issuer, clientId, scopes: scopes.split(' ') };
}
