import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { ORGANIZATIONS } from '../../infra/organizations.ts';

export interface OrgOptions {
  /** Folder of the organizations' files. */
  readonly orgs: string;
  readonly json?: boolean;
}

export function withOrgOptions(command: Command): Command {
  return command.option('--orgs <folder>', 'folder of the organizations’ files', organizationsFolder()).option('--json', 'as JSON');
}

/** Of this project, or the one that an organization keeps of its own. */
export function organizationsFolder(): string {
  return process.env['STORELINE_ORGS'] ?? shown(ORGANIZATIONS);
}

/** A path as somebody in the present folder would say it. */
export function shown(path: string): string {
  const short = relative('', path);
  return short.startsWith('..') ? path : join(short);
}
