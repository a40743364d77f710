/**
 * The cloud assembly the local stack runs: template and bundles, made by the CDK app in a process of its own and kept
 * by the content of everything it is made from. A second start with the same sources makes nothing.
 *
 * Written beside its final place and renamed into it, so two starters at once do the work twice and neither sees half
 * of it.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { SyncError } from '../protocol/sync-error.ts';
import type { Template } from './template.ts';
import { assetFolders } from './wiring.ts';

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const CACHE = join(PROJECT, 'node_modules', '.cache', 'storeline');
const SOURCES = ['protocol', 'core', 'codec', 'functions', 'infra', 'orgs', 'package-lock.json', 'package.json'];
/** Older assemblies are removed when a new one is made. */
const KEPT = 8;

export interface Assembly {
  readonly stackName: string;
  readonly region: string;
  readonly template: Template;
  readonly assetFolder: (objectKey: string) => string;
}

/** `organization`: a name of `orgs/` or the path of a JSON file. Returns the folder of its assembly. */
export async function makeAssembly(organization: string, log: (message: string) => void): Promise<string> {
  const folder = await folderOf(organization);
  if (existsSync(join(folder, 'manifest.json'))) {
    const now = new Date();
    await utimes(folder, now, now);
    return folder;
  }
  log('making the cloud assembly (only after a change)');
  await mkdir(CACHE, { recursive: true });
  const temporary = await mkdtemp(join(CACHE, 'making-'));
  try {
    await synthesize(organization, temporary);
    // Sources that changed meanwhile: what was made belongs to neither content, and is made again.
    if ((await folderOf(organization)) !== folder) return await makeAssembly(organization, log);
    await rename(temporary, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was quicker with the same content.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  await removeOld();
  return folder;
}

export async function readAssembly(folder: string): Promise<Assembly> {
  const environmentSchema = z.object({
    artifacts: z.record(z.string(), z.object({ type: z.string(), environment: z.string().optional() })),
  });
  const manifest = environmentSchema.parse(await readJson(join(folder, 'manifest.json')));
  const stacks = Object.entries(manifest.artifacts).filter(([, artifact]) => artifact.type === 'aws:cloudformation:stack');
  const [stack] = stacks;
  if (stack === undefined || stacks.length > 1) {
    throw new SyncError('LOCAL_STACK', `the cloud assembly has ${stacks.length} stacks; the local stack runs one`);
  }
  const [stackName, { environment }] = stack;
  const template = (await readJson(join(folder, `${stackName}.template.json`))) as Template;
  const assets = await readJson(join(folder, `${stackName}.assets.json`));
  return { stackName, region: environment?.split('/').at(-1) ?? 'eu-west-1', template, assetFolder: assetFolders(folder, assets) };
}

async function synthesize(organization: string, out: string): Promise<void> {
  const run = promisify(execFile);
  try {
    await run(process.execPath, [join(PROJECT, 'infra', 'app.ts'), '--org', organizationArgument(organization), '--out', out], {
      cwd: PROJECT,
      maxBuffer: 16 << 20,
    });
  } catch (error) {
    const { code, stderr = '' } = error as { code?: number; stderr?: string };
    if (code === 2) throw new SyncError('INVALID_INPUT', stderr.trim(), { cause: error });
    throw new SyncError('LOCAL_STACK', `the cloud assembly could not be made:\n${stderr.trim()}`, { cause: error });
  }
}

function organizationArgument(organization: string): string {
  return organization.endsWith('.json') ? resolve(organization) : organization;
}

async function folderOf(organization: string): Promise<string> {
  return join(CACHE, `assembly-${await contentKey(organization)}`);
}

async function contentKey(organization: string): Promise<string> {
  const hash = createHash('sha256').update(`${process.version}\n${organization}\n`);
  const files = (await Promise.all(SOURCES.map((source) => filesOf(join(PROJECT, source))))).flat().sort();
  if (organization.endsWith('.json') && existsSync(organization)) files.push(resolve(organization));
  const contents = await Promise.all(files.map((file) => readFile(file)));
  for (const [index, file] of files.entries()) {
    hash.update(`${relative(PROJECT, file)}\n${contents[index]?.length ?? 0}\n`).update(contents[index] ?? '');
  }
  return hash.digest('hex').slice(0, 24);
}

async function filesOf(path: string): Promise<string[]> {
  if (!existsSync(path)) return [];
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/[/\\]\.(types|outputs)[/\\]/.test(file));
}

async function removeOld(): Promise<void> {
  const folders = (await readdir(CACHE)).filter((name) => name.startsWith('assembly-')).map((name) => join(CACHE, name));
  const aged = await Promise.all(folders.map(async (folder) => ({ folder, usedAt: (await stat(folder)).mtimeMs })));
  aged.sort((a, b) => b.usedAt - a.usedAt);
  await Promise.all(aged.slice(KEPT).map(({ folder }) => rm(folder, { recursive: true, force: true })));
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}
