import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * What this machine knows of what is deployed: the outputs of each stack and its template, written after every deployment. Not in
 * version control; `storeline org outputs --refresh` makes it again from AWS.
 */
const deployedSchema = z.object({
  organization: z.string(),
  stack: z.string(),
  account: z.string(),
  region: z.string(),
  /** When it was read from AWS. */
  readAt: z.string(),
  outputs: z.record(z.string(), z.string()),
});
export type Deployed = z.infer<typeof deployedSchema>;

/**
 * What head office's functions are invoked as, by the folder of each. With the account, so that the same organization in another account
 * (a trial of it, say) is never taken for this one.
 */
export function functionsOf({ account, outputs }: Deployed): Record<string, string> {
  const named = Object.entries(outputs).filter(([key]) => key.startsWith('Function'));
  return Object.fromEntries(named.map(([key, name]) => [kebabCase(key.slice('Function'.length)), `${account}:function:${name}`]));
}

function kebabCase(pascal: string): string {
  return pascal.replaceAll(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

export function readDeployed(orgs: string, name: string): Deployed | null {
  const file = outputsFile(orgs, name);
  if (!existsSync(file)) return null;
  try {
    return deployedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SyncError('NOT_READY', `${file} cannot be read; \`storeline org outputs ${name} --refresh\` makes it again`, { cause });
  }
}

export function writeDeployed(orgs: string, deployed: Deployed, template: unknown): void {
  write(templateFile(orgs, deployed.organization), template);
  write(outputsFile(orgs, deployed.organization), deployed);
}

/** The stack is gone. */
export function forgetDeployed(orgs: string, name: string): void {
  rmSync(outputsFile(orgs, name), { force: true });
  rmSync(templateFile(orgs, name), { force: true });
}

export function outputsFile(orgs: string, name: string): string {
  return join(orgs, '.outputs', `${name}.json`);
}

export function templateFile(orgs: string, name: string): string {
  return join(orgs, '.outputs', `${name}.template.json`);
}

function write(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}
