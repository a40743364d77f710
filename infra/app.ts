/**
 * `node infra/app.ts [--org <name|file.json>]... [--out <folder>]` writes the cloud assembly of every named
 * organization (all of `orgs/` otherwise). Needs no AWS account and looks nothing up.
 * Ends with 2 when an organization or an argument is wrong, with 1 when a template breaks a rule.
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { ORGANIZATIONS, readOrganizations } from './organizations.ts';
import { storelineApp } from './storeline-app.ts';

function readArguments(): { organizations: string[]; outdir: string } {
  try {
    const { values } = parseArgs({ options: { org: { type: 'string', multiple: true }, out: { type: 'string' } } });
    // The CDK command line names its own output folder.
    const outdir = values.out ?? process.env['CDK_OUTDIR'] ?? 'cdk.out';
    return { organizations: values.org ?? [], outdir: resolve(outdir) };
  } catch (error) {
    throw new SyncError('INVALID_INPUT', (error as Error).message, { cause: error });
  }
}

try {
  const { organizations, outdir } = readArguments();
  storelineApp(readOrganizations(ORGANIZATIONS, organizations), { outdir }).synth();
} catch (error) {
  if (!isSyncError(error, 'INVALID_INPUT')) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
