import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { withAssembly } from '../deploy/assembly.ts';
import { cdk } from '../deploy/cdk.ts';
import { templateFile } from '../deploy/deployed.ts';
import { type Obstacle, changeObstacles } from '../deploy/obstacles.ts';
import { shown } from '../deploy/org-options.ts';
import {
  type Target,
  type TargetOptions,
  assemblyTemplate,
  deployedTemplate,
  lookAt,
  readTemplate,
  targetOf,
  withTargetOptions,
} from '../deploy/targets.ts';
import { NOTHING, type Template, templateChanges } from '../deploy/template-changes.ts';
import { print, say } from '../output.ts';

/** What a deployment would change, and what stands against it. Changes nothing. */
interface PlanOptions extends TargetOptions {
  readonly offline?: boolean;
  readonly against?: string;
}

interface Before {
  readonly template: Template;
  /** What it is, for people. */
  readonly of: string;
  readonly obstacles: readonly Obstacle[];
}

export function addOrgPlanCommand(org: Command): void {
  withTargetOptions(org.command('plan <org>'))
    .description('what a deployment would change, compared with what is deployed')
    .option('--offline', 'compare with the template of the last deployment from this machine; needs no AWS account')
    .option('--against <file>', 'compare with this template; needs no AWS account')
    .action(plan);
}

async function plan(name: string, options: PlanOptions): Promise<void> {
  const target = targetOf(name, options);
  const { template, of, obstacles } = await whatIsThere(target, options);
  say(`Making the template of ${target.organization.name}`);
  await withAssembly([target.file], async (assembly) => {
    const changes = templateChanges(template, assemblyTemplate(assembly, target));
    const against = [...obstacles, ...changeObstacles(target.organization.name, changes)];
    const detail = options.json === true ? [] : await detailOf(target, { assembly, template });
    const { organization, stackName } = target;
    const answer = {
      organization: organization.name,
      stack: stackName,
      region: organization.region,
      comparedWith: of,
      changes,
      obstacles: against,
    };
    print({ json: options.json === true }, answer, () =>
      [
        ...detail,
        `Compared with ${of}: ${countOf(changes, 'add')} to add, ${countOf(changes, 'change')} to change, ${countOf(changes, 'remove')} to remove.`,
        ...against.map(({ code, message }) => `A deployment would be refused, ${code}: ${message}`),
      ].join('\n'),
    );
  });
}

async function whatIsThere(target: Target, options: PlanOptions): Promise<Before> {
  const { orgs, offline, against } = options;
  if (against !== undefined) return { template: readTemplate(against), of: against, obstacles: [] };
  const saved = templateFile(orgs, target.organization.name);
  if (offline === true && existsSync(saved)) return { template: readTemplate(saved), of: shown(saved), obstacles: [] };
  if (offline === true) return { template: NOTHING, of: 'nothing (no deployment from this machine is known)', obstacles: [] };
  try {
    const place = await lookAt(target, options);
    const of =
      place.stack === null ? `nothing (not deployed in the account ${place.account})` : `what is deployed in the account ${place.account}`;
    return { template: await deployedTemplate(target, place), of, obstacles: place.obstacles };
  } catch (error) {
    if (!isSyncError(error)) throw error;
    throw new SyncError(error.code, `${error.message}\n  Without AWS: --offline compares with the last deployment from this machine.`, {
      cause: error,
    });
  }
}

/** The CDK's own words, which know what is replaced. */
async function detailOf(
  { stackName, organization }: Target,
  { assembly, template }: { assembly: string; template: Template },
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'storeline-plan-'));
  try {
    const file = join(folder, 'before.json');
    await writeFile(file, JSON.stringify(template));
    const lines: string[] = [];
    const { region } = organization;
    if (await cdk(['diff', stackName, '--template', file], { assembly, region, onLine: (line) => lines.push(line) })) return lines;
    throw new SyncError('DEPLOYMENT_FAILED', `the templates cannot be compared:\n${lines.join('\n')}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function countOf(changes: readonly { readonly change: string }[], kind: string): number {
  return changes.filter(({ change }) => change === kind).length;
}
