import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { organizationFiles, readOrganizations } from '../../infra/organizations.ts';
import type { Organization } from '../../protocol/organization.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { AwsRegion, type StackState } from './aws-region.ts';
import { readDeployed, writeDeployed, type Deployed } from './deployed.ts';
import { type Obstacle, placeObstacles } from './obstacles.ts';
import { type OrgOptions, withOrgOptions } from './org-options.ts';
import { NOTHING, type Template, templateSchema } from './template-changes.ts';

/** Organizations with the place in AWS that each is deployed to. */
export interface TargetOptions extends OrgOptions {
  readonly profile?: string;
}

export interface Target {
  readonly organization: Organization;
  readonly file: string;
  readonly stackName: string;
  readonly profile: string | undefined;
  readonly aws: AwsRegion;
}

export function withTargetOptions(command: Command): Command {
  return withOrgOptions(command).option(
    '--profile <name>',
    'AWS profile to act as; {org} in it stands for the organization’s name (default: what the environment says)',
  );
}

export function targetsOf(names: readonly string[], { orgs, profile: pattern }: TargetOptions): Target[] {
  const files = organizationFiles(orgs, names);
  return readOrganizations(orgs, names).map((organization, index) => {
    const { name, region } = organization;
    const profile = pattern?.replaceAll('{org}', name);
    return { organization, file: files[index] ?? '', stackName: `storeline-${name}`, profile, aws: new AwsRegion({ region, profile }) };
  });
}

export function targetOf(name: string, options: TargetOptions): Target {
  const [target] = targetsOf([name], options);
  if (target === undefined) throw new SyncError('INVALID_INPUT', `there is no organization ${name}`);
  return target;
}

export interface Place {
  readonly account: string;
  /** null: nothing is deployed. */
  readonly stack: StackState | null;
  readonly obstacles: readonly Obstacle[];
}

/** Asks first who the credentials are of: without any nothing else is asked. */
export async function lookAt({ organization, stackName, aws }: Target, { orgs }: OrgOptions): Promise<Place> {
  const { account } = await aws.identity();
  const [bootstrapVersion, stack] = await Promise.all([aws.bootstrapVersion(), aws.stack(stackName)]);
  const deployed = readDeployed(orgs, organization.name);
  return { account, stack, obstacles: placeObstacles({ organization, account, bootstrapVersion, stack, deployed }) };
}

/** For what works on a stack that is there. */
export async function lookAtStack(target: Target, options: OrgOptions): Promise<Place & { readonly stack: StackState }> {
  const place = await lookAt(target, options);
  refuse(place.obstacles.filter(({ code }) => code === 'AWS_ACCOUNT'));
  const { stack, account } = place;
  if (stack === null) {
    const { name, region } = target.organization;
    throw new SyncError(
      'NOT_READY',
      `${name} is not deployed in ${region} of the account ${account}; \`storeline org deploy ${name}\` makes it`,
    );
  }
  return { ...place, stack };
}

export function refuse(obstacles: readonly Obstacle[]): void {
  const [first] = obstacles;
  if (first !== undefined) throw new SyncError(first.code, obstacles.map(({ message }) => message).join('\n'));
}

export async function deployedTemplate({ aws, stackName }: Target, { stack }: Pick<Place, 'stack'>): Promise<Template> {
  return stack === null ? NOTHING : aws.template(stackName);
}

export function assemblyTemplate(assembly: string, { stackName }: Target): Template {
  return readTemplate(join(assembly, `${stackName}.template.json`));
}

export function readTemplate(file: string): Template {
  try {
    return templateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new SyncError('INVALID_INPUT', `${file} is not a template: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads from AWS what other commands need to know, and keeps it. */
export async function refreshOutputs(target: Target, options: OrgOptions): Promise<Deployed> {
  const { account, stack } = await lookAtStack(target, options);
  const { organization, stackName, aws } = target;
  const deployed = {
    organization: organization.name,
    stack: stackName,
    account,
    region: organization.region,
    readAt: new Date().toISOString(),
    outputs: { ...stack.outputs },
  };
  writeDeployed(options.orgs, deployed, await aws.template(stackName));
  return deployed;
}
