import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import type { Organization } from '../../protocol/organization.ts';
import type { StackState } from './aws-region.ts';
import type { Deployed } from './deployed.ts';
import { type ResourceChange, dataRemoved } from './template-changes.ts';

/**
 * What stands against a deployment, from what is known before it begins. CloudFormation would find some of it after minutes, and some
 * of it never: a stack in another account or region is a new, empty head office, and nobody's mistake to it.
 */
export interface Obstacle {
  readonly code: Extract<ErrorCodeName, 'AWS_ACCOUNT' | 'NOT_READY'>;
  readonly message: string;
}

interface Place {
  readonly organization: Pick<Organization, 'name' | 'region'> & { readonly account?: string | undefined };
  /** Of the credentials. */
  readonly account: string;
  readonly bootstrapVersion: number | null;
  readonly stack: Pick<StackState, 'status'> | null;
  /** Of the deployment before, where this machine knows of one. */
  readonly deployed: Pick<Deployed, 'account' | 'region'> | null;
}

/** The oldest that knows the roles which a deployment takes on. */
const BOOTSTRAP_VERSION_MIN = 6;

export function placeObstacles({ organization, account, bootstrapVersion, stack, deployed }: Place): Obstacle[] {
  const { name, region } = organization;
  const expected = organization.account ?? deployed?.account ?? account;
  if (expected !== account)
    return [{ code: 'AWS_ACCOUNT', message: `${name} belongs to the account ${expected}, and the credentials are of ${account}` }];
  const notReady: string[] = [];
  if (deployed !== null && deployed.region !== region)
    notReady.push(
      `${name} is deployed in ${deployed.region}, and its file says ${region}: that would be a second, empty head office. Data does not move by itself`,
    );
  if (bootstrapVersion === null || !(bootstrapVersion >= BOOTSTRAP_VERSION_MIN))
    notReady.push(
      `${name}: ${region} of the account ${account} is not bootstrapped${bootstrapVersion === null ? '' : ` for this CDK (version ${bootstrapVersion})`}; run \`npx cdk bootstrap aws://${account}/${region}\` once`,
    );
  if (stack !== null && stack.status.endsWith('_IN_PROGRESS'))
    notReady.push(`${name} is being changed already (${stack.status}); wait until it is over`);
  if (stack !== null && /(ROLLBACK|DELETE)_FAILED$/.test(stack.status))
    notReady.push(`${name} got stuck (${stack.status}); see docs/operations/deploy.md, "A stack is stuck"`);
  return notReady.map((message) => ({ code: 'NOT_READY', message }));
}

export function changeObstacles(name: string, changes: readonly ResourceChange[]): Obstacle[] {
  const lost = dataRemoved(changes).map(
    ({ id, type }) => `${name} would lose ${id} (${type}), which holds data. If that is meant, say --allow-data-removal`,
  );
  return [...lost, ...(beginsAnew(changes) ? [anew(name)] : [])].map((message) => ({ code: 'NOT_READY', message }));
}

/** The table of main data would be made in a stack that is there already. */
function beginsAnew(changes: readonly ResourceChange[]): boolean {
  const added = new Set(changes.flatMap(({ id, change }) => (change === 'add' ? [id] : [])));
  return added.has('Records') && !added.has('Audit');
}

function anew(name: string): string {
  return `${name} would begin anew with empty tables: it uses tables that were restored, and its file does not name them any more. Put \`restored\` back`;
}
