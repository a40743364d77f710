import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { notAnOrganization } from '../../infra/organizations.ts';
import { organizationSchema } from '../../protocol/organization.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type OrgOptions, shown, withOrgOptions } from '../deploy/org-options.ts';
import { print } from '../output.ts';

/** Writes what was said and nothing else, so that what was not said follows the product's defaults. */
interface CreateOptions extends OrgOptions {
  readonly displayName?: string;
  readonly region: string;
  readonly timeZone: string;
  readonly currency: string;
  readonly account?: string;
  readonly scope?: readonly string[];
  readonly expectedEveryHours?: string;
  readonly compactionMinutes?: string;
  readonly identityIssuer?: string;
  readonly identityAudience?: string;
  readonly identityClientId?: string;
  readonly alarmEmail?: string;
  readonly monthlyBudgetUsd?: string;
  /** false: `--no-retain-data`. */
  readonly retainData: boolean;
}

export function addOrgCreateCommand(org: Command): void {
  withOrgOptions(org.command('create <name>'))
    .description('write the file of a new organization; nothing is deployed')
    .option('--display-name <text>', 'name for people (default: the name)')
    .requiredOption('--region <region>', 'AWS region its data stays in')
    .requiredOption('--time-zone <zone>', 'of stores that name none, such as Europe/London')
    .requiredOption('--currency <code>', 'of stores that name none, such as GBP')
    .option('--account <id>', 'AWS account it may be deployed to; any other is refused')
    .option('--scope <component=choice...>', 'which stores hold a component, such as Customer=working-set')
    .option('--expected-every-hours <hours>', 'a store that was not heard of for this long is an alarm')
    .option('--compaction-minutes <minutes>', 'how often snapshots are brought up to date')
    .option('--identity-issuer <url>', 'its own identity provider, with --identity-audience')
    .option('--identity-audience <text>', 'audience of that provider’s tokens')
    .option('--identity-client-id <text>', 'that provider’s public client for `storeline sign-in`')
    .option('--alarm-email <address>', 'who is told of alarms')
    .option('--monthly-budget-usd <amount>', 'who is told of alarms is told of more than this as well')
    .option('--no-retain-data', 'data goes with the stack; for trials only')
    .addHelpText(
      'after',
      '\nExample:\n  npm run -s storeline -- org create acme --region eu-west-1 --time-zone Europe/Dublin --currency EUR\n\nOther settings (`canary`, `offlineRedemption`, `shareSensitiveFields`) are written into the file; `org validate` checks them.',
    )
    .action(create);
}

function create(name: string, options: CreateOptions): void {
  const settings = settingsOf(name, options);
  const parsed = organizationSchema.safeParse(settings);
  if (!parsed.success) throw notAnOrganization(name, parsed.error);
  const file = join(options.orgs, `${name}.json`);
  try {
    writeFileSync(file, `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new SyncError('ALREADY_EXISTS', `${shown(file)} is there and was left as it is`, { cause: error });
    throw new SyncError('INVALID_INPUT', `${shown(file)} cannot be written: ${message}`, { cause: error });
  }
  print({ json: options.json === true }, { name, file, settings: parsed.data }, () =>
    [
      `${shown(file)} is written. Nothing is deployed yet. Next:`,
      `  storeline org validate ${name}    its template and every check`,
      `  storeline org plan ${name}        what a deployment would make`,
      `  storeline org deploy ${name}      makes it`,
    ].join('\n'),
  );
}

function settingsOf(name: string, options: CreateOptions): Record<string, unknown> {
  const { identityIssuer: issuer, identityAudience: audience, identityClientId: clientId } = options;
  const given = {
    name,
    displayName: options.displayName ?? name,
    region: options.region,
    account: options.account,
    timeZone: options.timeZone,
    currency: options.currency,
    scopes: options.scope === undefined ? undefined : Object.fromEntries(options.scope.map(scopeOf)),
    expectedEveryHours: numberOf(options.expectedEveryHours),
    compactionMinutes: numberOf(options.compactionMinutes),
    identity: issuer === undefined && audience === undefined && clientId === undefined ? undefined : { issuer, audience, clientId },
    alarmEmail: options.alarmEmail,
    monthlyBudgetUsd: numberOf(options.monthlyBudgetUsd),
    retainData: options.retainData ? undefined : false,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function scopeOf(text: string): [component: string, choice: string] {
  const [component = '', choice, ...rest] = text.split('=');
  if (choice === undefined || rest.length > 0)
    throw new SyncError('INVALID_INPUT', `--scope is a component and a choice, such as Customer=working-set, not ${text}`);
  return [component, choice];
}

/** What is no number is for the schema to refuse, by the name of its field. */
function numberOf(text: string | undefined): number | string | undefined {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
