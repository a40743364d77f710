/**
 * Which organizations exist and what they want: one JSON file each, checked before anything is built from it.
 * An organization that does not fit its schema is refused as a whole, with every field that is wrong.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Organization, organizationSchema } from '../protocol/organization.ts';
import { SyncError } from '../protocol/sync-error.ts';

/** Where they stand unless somebody says otherwise. */
export const ORGANIZATIONS = fileURLToPath(new URL('../orgs', import.meta.url));

export interface OrganizationProblem {
  /** Path of the field, such as `offlineRedemption.points.perStore`; empty: of the whole file. */
  readonly field: string;
  readonly message: string;
}

/** `names` are names of files in `folder` or paths that end in `.json`; none means every file of the folder. */
export function readOrganizations(folder: string, names: readonly string[]): Organization[] {
  const organizations = organizationFiles(folder, names).map((file) => readOrganization(folder, file));
  const seen = new Set<string>();
  for (const { name } of organizations) {
    if (seen.has(name)) throw new SyncError('INVALID_INPUT', `two organizations are named ${name}; the name is the stack's name`);
    seen.add(name);
  }
  return organizations;
}

export function organizationFiles(folder: string, names: readonly string[]): string[] {
  if (!existsSync(folder)) throw new SyncError('INVALID_INPUT', `there is no folder ${folder}`);
  return names.length > 0 ? names.map((name) => organizationFile(folder, name)) : allFiles(folder);
}

/** A file of `folder` is named after its organization: whoever says a name gets that stack and no other. */
export function readOrganization(folder: string, file: string): Organization {
  const parsed = organizationSchema.safeParse(readJson(file));
  if (!parsed.success) throw notAnOrganization(file, parsed.error);
  if (file.startsWith(join(folder, '/')) && parsed.data.name !== basename(file, '.json')) {
    const message = `is ${parsed.data.name}, and the file is named after another`;
    throw notAnOrganization(file, new z.ZodError([{ code: 'custom', path: ['name'], message, input: parsed.data.name }]));
  }
  return parsed.data;
}

export function notAnOrganization(what: string, error: z.ZodError): SyncError {
  const problems = error.issues.map(({ path, message }): OrganizationProblem => ({ field: path.join('.'), message }));
  return new SyncError('INVALID_INPUT', `${what} is not an organization:\n${z.prettifyError(error)}`, { details: { problems } });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const message = `cannot be read as JSON: ${(error as Error).message}`;
    const details = { problems: [{ field: '', message }] };
    throw new SyncError('INVALID_INPUT', `${file} ${message}`, { cause: error, details });
  }
}

function organizationFile(folder: string, name: string): string {
  const file = name.endsWith('.json') ? name : join(folder, `${name}.json`);
  if (existsSync(file)) return file;
  const known = allFiles(folder).map((path) => basename(path, '.json'));
  throw new SyncError(
    'INVALID_INPUT',
    `there is no organization ${name}; known are: ${known.join(', ')}. Or give the path of a JSON file.`,
  );
}

function allFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}
