import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { SyncError } from '../../protocol/sync-error.ts';
import { withAssembly } from '../deploy/assembly.ts';
import { cdk } from '../deploy/cdk.ts';
import { forgetDeployed } from '../deploy/deployed.ts';
import { type Target, type TargetOptions, lookAtStack, targetOf, withTargetOptions } from '../deploy/targets.ts';
import { keptResources } from '../deploy/template-changes.ts';
import { print, say } from '../output.ts';

/** Takes an organization's stack away. Whoever asks for it says its name; what is kept stays in the account and is named. */
interface DestroyOptions extends TargetOptions {
  readonly confirm?: string;
}

interface Kept {
  readonly id: string;
  readonly type: string;
  readonly physicalId: string;
}

export function addOrgDestroyCommand(org: Command): void {
  withTargetOptions(org.command('destroy <org>'))
    .description('take the stack of an organization away; its data stays in the account unless its file says otherwise')
    .option('--confirm <name>', 'the organization’s name, instead of typing it when asked')
    .action(destroy);
}

async function destroy(given: string, options: DestroyOptions): Promise<void> {
  const target = targetOf(given, options);
  const { name } = target.organization;
  if (options.confirm !== undefined) checkName(options.confirm, name);
  const { account, stack } = await lookAtStack(target, options);
  const kept = await whatStays(target);
  say(
    `${target.stackName} in ${target.organization.region} of the account ${account} goes: stores cannot sync from then on, tills go on selling.`,
  );
  say(kept.length === 0 ? 'Nothing of it is kept: its data goes as well.' : `Kept in the account:\n${listOf(kept)}`);
  if (options.confirm === undefined) checkName(await ask(name), name);
  await withAssembly([target.file], async (assembly) => {
    if (stack.protected) await target.aws.protect(target.stackName, false);
    try {
      await remove(target, assembly);
    } catch (error) {
      // What is still there is protected as before.
      if (stack.protected && (await target.aws.stack(target.stackName)) !== null) await target.aws.protect(target.stackName, true);
      throw error;
    }
  });
  forgetDeployed(options.orgs, name);
  print({ json: options.json === true }, { organization: name, stack: target.stackName, account, kept }, () =>
    [
      `${target.stackName} is gone.`,
      ...(kept.length === 0 ? [] : [`Kept until somebody deletes it:\n${listOf(kept)}`]),
      `Its settings are still in ${target.file}.`,
    ].join('\n'),
  );
}

async function whatStays({ aws, stackName }: Target): Promise<Kept[]> {
  const [template, names] = await Promise.all([aws.template(stackName), aws.physicalIds(stackName)]);
  return keptResources(template).map(({ id, type }) => ({ id, type, physicalId: names.get(id) ?? '-' }));
}

async function remove({ stackName, organization, profile }: Target, assembly: string): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    say(line);
  };
  if (!(await cdk(['destroy', stackName, '--exclusively', '--force'], { assembly, region: organization.region, profile, onLine })))
    throw new SyncError('DEPLOYMENT_FAILED', `${stackName} could not be removed: ${lines.at(-1) ?? ''}`);
}

async function ask(name: string): Promise<string> {
  if (!process.stdin.isTTY) throw new SyncError('INVALID_INPUT', `nothing was changed: say --confirm ${name} if it is meant`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await prompt.question(`Type the name of the organization to go on: `);
  } finally {
    prompt.close();
  }
}

function checkName(typed: string, name: string): void {
  if (typed.trim() !== name) throw new SyncError('INVALID_INPUT', `"${typed}" is not ${name}; nothing was changed`);
}

function listOf(kept: readonly Kept[]): string {
  return kept.map(({ type, physicalId }) => `  ${physicalId} (${type})`).join('\n');
}
