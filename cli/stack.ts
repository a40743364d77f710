import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type LocalStack, type LocalState, localStackSchema, localStateSchema } from '../protocol/local-stack.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { HeadOffice } from './head-office.ts';
import type { OfficeOptions } from './office-options.ts';
import { progressLine, say } from './output.ts';
import { type Caller, callerFor } from './people/caller.ts';
import { Sessions, sessionsFile } from './people/sessions.ts';
import { type Place, deployedPlace, localOffice, localPlace } from './place.ts';

/**
 * Head office: of an organization that is deployed, or the local stack of a folder: the one that runs there, or one started for the duration of a command, so that every
 * command with `--dir` works by itself.
 */
const MAIN = fileURLToPath(new URL('../local/main.ts', import.meta.url));

export interface StackSession {
  /** null: head office is in AWS. */
  readonly stack: LocalStack | null;
  readonly office: HeadOffice;
}

/** Said before a stack is started that cannot run there. */
export function checkDir(dir: string): void {
  const stats = statSync(dir, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory())
    throw new SyncError('INVALID_INPUT', `--dir ${dir} is a file; give the folder of a local stack`);
}

export async function withStack<T>(options: OfficeOptions, run: (session: StackSession) => Promise<T>): Promise<T> {
  const { dir, org, profile } = options;
  if (org !== undefined) return run({ stack: null, office: officeAt(deployedPlace(org, profile), options) });
  if (dir === undefined) throw new SyncError('INVALID_INPUT', WHICH);
  checkDir(dir);
  const running = await runningStack(dir);
  if (running !== null) return run({ stack: running, office: officeAt(localPlace(dir, running), options) });
  say(`No local stack runs in ${dir}; one is started for this command.`);
  const started = await startStack(dir, []);
  try {
    return await run({ stack: started.stack, office: officeAt(localPlace(dir, started.stack), options) });
  } finally {
    await started.stop();
  }
}

/** Where it is; a local stack has to be up, because its identity provider ends with it. */
export async function placeOf({ dir, org, profile }: OfficeOptions): Promise<Place> {
  if (org !== undefined) return deployedPlace(org, profile);
  if (dir === undefined) throw new SyncError('INVALID_INPUT', WHICH);
  checkDir(dir);
  const running = await runningStack(dir);
  if (running === null)
    throw new SyncError('LOCAL_STACK', `no local stack runs in ${dir}; start one with \`npm start\` or \`storeline local\``);
  return localPlace(dir, running);
}

/** The name under which who signed in is kept; a local stack does not have to be up for it. */
export function officeOf({ dir, org }: OfficeOptions): string {
  if (org !== undefined) return deployedPlace(org, undefined).office;
  if (dir === undefined) throw new SyncError('INVALID_INPUT', WHICH);
  if (!existsSync(dir)) throw new SyncError('INVALID_INPUT', `there is no folder ${dir}; give the folder of a local stack`);
  return localOffice(dir);
}

const WHICH = 'say which head office: --dir <folder> of a local stack, or --org <name> of one in AWS';

function officeAt(place: Place, options: OfficeOptions): HeadOffice {
  return new HeadOffice(place, callerAt(place, options));
}

export function callerAt(place: Place, { aws, profile }: OfficeOptions): Caller {
  return callerFor({
    asAws: aws === true || profile !== undefined,
    token: process.env['STORELINE_TOKEN'] ?? '',
    office: place.office,
    provider: place.provider,
    sessions: new Sessions(sessionsFile(process.env)),
    now: Date.now,
  });
}

/** null: none runs there. A file left behind by one that was killed does not count. */
export async function runningStack(dir: string): Promise<LocalStack | null> {
  let stack: LocalStack;
  try {
    stack = localStackSchema.parse(JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')));
  } catch {
    return null;
  }
  const alive = await fetch(`${stack.api}/_local/state`, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.ok,
    () => false,
  );
  return alive ? stack : null;
}

/**
 * Starts a stack as a process of its own; its log lines go to standard error. The channel to it closes however this
 * process ends, and then it ends too.
 */
export async function startStack(
  dir: string,
  options: readonly string[],
): Promise<{ stack: LocalStack; child: ChildProcess; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [MAIN, '--dir', dir, ...options], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const stack = await readyLine(child);
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return { stack, child, stop };
}

async function readyLine(child: ChildProcess): Promise<LocalStack> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const first = await Promise.race([
    once(lines, 'line').then(([line]) => line as string),
    once(child, 'exit').then(([code]) => {
      throw new SyncError('LOCAL_STACK', `the local stack ended with code ${String(code)} before it was up; its reason stands above`);
    }),
  ]);
  return localStackSchema.parse(JSON.parse(first));
}

async function stateOf({ api }: LocalStack): Promise<LocalState> {
  try {
    const answer = await fetch(`${api}/_local/state`);
    return localStateSchema.parse(await answer.json());
  } catch (cause) {
    throw new SyncError('LOCAL_STACK', `the local stack at ${api} stopped before everything had reached the feeds. Start it again.`, {
      cause,
    });
  }
}

/** Waits until everything written to main data has reached the feeds; in AWS it goes its way meanwhile. */
export async function waitUntilIdle({ stack }: Pick<StackSession, 'stack'>): Promise<void> {
  if (stack === null) return;
  const line = progressLine();
  for (;;) {
    const state = await stateOf(stack);
    if (state.idle) break;
    line.update(
      `waiting for the feeds: ${Object.entries(state.pending)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
    );
    await sleep(50);
  }
  line.done();
}
