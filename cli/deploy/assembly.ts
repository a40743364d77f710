import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * The cloud assembly of organizations, made by the CDK app in a process of its own with every check that it has: templates and bundles,
 * exactly what a deployment takes.
 */
const APP = fileURLToPath(new URL('../../infra/app.ts', import.meta.url));

export interface Finding {
  readonly stack: string;
  readonly rule: string;
  /** Construct that breaks it. */
  readonly at: string;
  readonly message: string;
}

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({
      violations: z.array(
        z.object({
          ruleName: z.string(),
          description: z.string(),
          severity: z.string().optional(),
          violatingConstructs: z.array(z.object({ constructPath: z.string().optional() })),
        }),
      ),
    }),
  ),
});

/** Gives the folder of the assembly to `use`, and removes it. Findings of the checks are an error. */
export async function withAssembly<T>(files: readonly string[], use: (folder: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    const findings = await synthesize(files, folder);
    if (findings.length === 0) return use(folder);
    throw new SyncError('RULE_BROKEN', findings.map(({ rule, at, message }) => `${rule} at ${at}: ${message}`).join('\n'));
  });
}

/** Every finding of the checks; none: it could be deployed. */
export async function findingsOf(files: readonly string[]): Promise<Finding[]> {
  return inFolder((folder) => synthesize(files, folder));
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'storeline-assembly-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function synthesize(files: readonly string[], folder: string): Promise<Finding[]> {
  try {
    await promisify(execFile)(process.execPath, [APP, ...files.flatMap((file) => ['--org', file]), '--out', folder], {
      maxBuffer: 16 << 20,
    });
    return [];
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number; stderr?: string };
    if (code === 2) throw new SyncError('INVALID_INPUT', stderr.trim(), { cause: error });
    const findings = readFindings(join(folder, 'validation-report.json'));
    if (findings.length === 0)
      throw new SyncError('RULE_BROKEN', `the template could not be made:\n${stderr.trim().slice(0, 2_000)}`, { cause: error });
    return findings;
  }
}

export function readFindings(file: string): Finding[] {
  if (!existsSync(file)) return [];
  const { pluginReports } = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return pluginReports
    .flatMap(({ violations }) => violations)
    .filter(({ severity }) => severity === undefined || severity === 'error')
    .flatMap(({ ruleName: rule, description: message, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath: at = '' }) => ({ stack: at.split('/')[0] ?? '', rule, at, message })),
    );
}
