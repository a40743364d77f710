import { type Command, InvalidArgumentError } from 'commander';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { withAssembly } from '../deploy/assembly.ts';
import { cdk } from '../deploy/cdk.ts';
import { changeObstacles } from '../deploy/obstacles.ts';
import {
  type Place,
  type Target,
  type TargetOptions,
  assemblyTemplate,
  deployedTemplate,
  lookAt,
  refreshOutputs,
  refuse,
  targetsOf,
  withTargetOptions,
} from '../deploy/targets.ts';
import { templateChanges } from '../deploy/template-changes.ts';
import { type Outcome, nextWave, standings } from '../deploy/waves.ts';
import { print, say } from '../output.ts';

/**
 * Deploys organizations wave by wave. Everything that can be known is looked at for all of them before the first is touched; the first
 * that fails ends it, and what was deployed stays deployed. Said again it does what is left.
 */
interface DeployOptions extends TargetOptions {
  readonly waveSize: number;
  readonly allowDataRemoval?: boolean;
}

export function addOrgDeployCommand(org: Command): void {
  withTargetOptions(org.command('deploy <org...>'))
    .description('deploy organizations, in the order given; the first that fails ends it')
    .option('--wave-size <count>', 'how many at the same time', sizeOf, 1)
    .option('--allow-data-removal', 'also when a table, a bucket or the people would leave a stack')
    .action(deploy);
}

function sizeOf(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 to 99.');
  return Number(text);
}

async function deploy(names: readonly string[], options: DeployOptions): Promise<void> {
  const targets = targetsOf(names, options);
  const places = await Promise.all(targets.map(async (target) => ({ target, place: await lookAt(target, options) })));
  refuse(places.flatMap(({ place }) => place.obstacles));
  say(`Making the templates of ${targets.map(({ organization: { name } }) => name).join(', ')}`);
  const reasons: Record<string, string> = {};
  const { deployed, failed, notTried } = await withAssembly(
    targets.map(({ file }) => file),
    async (assembly) => {
      if (options.allowDataRemoval !== true) {
        const all = places.map(async ({ target, place }) => removalsOf(target, await deployedTemplate(target, place), assembly));
        refuse((await Promise.all(all)).flat());
      }
      await unprotectFailures(places);
      return inWaves(targets, options.waveSize, async (target) => deployOne(target, { assembly, options, reasons }));
    },
  );
  print({ json: options.json === true }, { deployed, failed: failed.map((name) => ({ name, reason: reasons[name] })), notTried }, () =>
    [
      ...deployed.map((name) => `${name}: deployed`),
      ...failed.map((name) => `${name}: FAILED`),
      ...notTried.map((name) => `${name}: not tried`),
    ].join('\n'),
  );
  if (failed.length > 0) throw new SyncError('DEPLOYMENT_FAILED', failed.map((name) => `${name}: ${reasons[name] ?? ''}`).join('\n'));
}

/** What is left of a first deployment that failed holds nothing, and is protected all the same: the CDK could not make it anew. */
async function unprotectFailures(places: readonly { readonly target: Target; readonly place: Place }[]): Promise<void> {
  for (const { target, place } of places)
    if (place.stack?.status === 'ROLLBACK_COMPLETE' && place.stack.protected) await target.aws.protect(target.stackName, false);
}

function removalsOf(target: Target, before: Awaited<ReturnType<typeof deployedTemplate>>, assembly: string) {
  return changeObstacles(target.organization.name, templateChanges(before, assemblyTemplate(assembly, target)));
}

async function inWaves(targets: readonly Target[], size: number, work: (target: Target) => Promise<Outcome>) {
  const order = targets.map(({ organization: { name } }) => name);
  const outcomes = new Map<string, Outcome>();
  for (let wave = nextWave(order, outcomes, size); wave.length > 0; wave = nextWave(order, outcomes, size)) {
    say(`Deploying ${wave.join(', ')}; ${outcomes.size} of ${order.length} are done`);
    const turn = targets.filter(({ organization: { name } }) => wave.includes(name));
    const results = await Promise.all(turn.map(async (target) => [target.organization.name, await work(target)] as const));
    for (const [name, outcome] of results) outcomes.set(name, outcome);
  }
  return standings(order, outcomes);
}

interface Deployment {
  readonly assembly: string;
  readonly options: DeployOptions;
  /** Of those that fail, by name. */
  readonly reasons: Record<string, string>;
}

async function deployOne(target: Target, { assembly, options, reasons }: Deployment): Promise<Outcome> {
  const { organization, stackName, profile } = target;
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    say(line);
  };
  const args = ['deploy', stackName, '--exclusively', '--require-approval', 'never', '--progress', 'events'];
  const done = await cdk(args, { assembly, region: organization.region, profile, onLine });
  if (!done) {
    reasons[organization.name] = reasonIn(lines);
    return 'FAILED';
  }
  await refreshOutputs(target, options).catch((error: unknown) => {
    if (!isSyncError(error)) throw error;
    say(`${organization.name} is deployed, but its outputs could not be read (${error.message}); \`storeline org outputs --refresh\` does`);
  });
  return 'DEPLOYED';
}

/** From where the CDK says that it failed. */
function reasonIn(lines: readonly string[]): string {
  const from = lines.findLastIndex((line) => line.includes('❌'));
  return lines
    .slice(Math.max(from, 0))
    .filter((line) => line.trim() !== '' && !line.includes('✨'))
    .slice(0, 10)
    .join('\n');
}
