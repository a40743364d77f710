/**
 * Which organizations exist and what they want: one JSON file each, checked before anything is built from it.
 * An organization that does not fit its schema is refused as a whole, with every field that is wrong.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Organization, organizationSchema } from '../protocol/organization.ts';
import { SyncError } from '../protocol/sync-error.ts';

/** `names` are names of files in `folder` or paths that end in `.json`; none means every file of the folder. */
export function readOrganizations(folder: string, names: readonly string[]): Organization[] {
  const files = names.length > 0 ? names.map((name) => organizationFile(folder, name)) : allFiles(folder);
  const organizations = files.map((file) => readOrganization(file));
  const seen = new Set<string>();
  for (const { name } of organizations) {
    if (seen.has(name)) throw new SyncError('INVALID_INPUT', `two organizations are named ${name}; the name is the stack's name`);
    seen.add(name);
  }
  return organizations;
}

export function readOrganization(file: string): Organization {
  const parsed = organizationSchema.safeParse(readJson(file));
  if (!parsed.success) throw new SyncError('INVALID_INPUT', `${file} is not an organization:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SyncError('INVALID_INPUT', `${file} cannot be read as JSON: ${(error as Error).message}`, { cause: error });
  }
}

function organizationFile(folder: string, name: string): string {
  const file = name.endsWith('.json') ? name : join(folder, `${name}.json`);
  if (existsSync(file)) return file;
  const known = allFiles(folder).map((path) => path.slice(folder.length + 1, -'.json'.length));
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
