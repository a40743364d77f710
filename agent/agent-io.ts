import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Clock, Ids } from '../core/ports/clock.ts';
import { limits } from '../protocol/limits.ts';
import { agentLimits } from './agent-limits.ts';
import { noteClock, readClockNote } from './clock-note.ts';
import { type DataPaths, dataPaths, freeBytes } from './data-folder.ts';
import { type Identity, requireIdentity } from './identity.ts';
import { type ProgressStyle, createProgress } from './progress/progress-lines.ts';
import type { SyncDeps } from './sync/sync-deps.ts';
import { type CloudApiDeps, HttpCloudApi } from './transport/cloud-api.ts';
import type { RetryPolicy } from './transport/retry.ts';
import { SpoolDownload } from './transport/download.ts';
import { createRequestSigner } from './transport/request-signer.ts';
import { createTransferCount } from './transport/transfer-count.ts';

/** What commands share of the outside world. Made once, in `main.ts`. */
export interface AgentIo {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Aborted by SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Ends early, with the signal's reason, when that is aborted. */
  readonly sleep: (ms: number) => Promise<void>;
}

export const AGENT_VERSION = '0.1.0';

export function systemIo(signal: AbortSignal): AgentIo {
  return {
    clock: { now: () => Date.now() },
    ids: { next: () => uuidv7() },
    signal,
    stdout: process.stdout,
    stderr: process.stderr,
    sleep: async (ms) => {
      await delay(ms, undefined, { signal });
    },
  };
}

export async function createSyncDeps(io: AgentIo, folder: string, style: ProgressStyle): Promise<SyncDeps> {
  const paths = dataPaths(folder);
  const identity = requireIdentity(paths.identity);
  const { clock, ids, signal } = io;
  const count = createTransferCount();
  const sign = await createRequestSigner(identity);
  return {
    cloud: new HttpCloudApi({ api: identity.api, agentVersion: AGENT_VERSION, sign, clock, ids, count, signal, ...timeOf(paths) }),
    download: new SpoolDownload({ folder: paths.spool, count, signal }),
    dataDir: paths.folder,
    clock,
    ids,
    progress: createProgress(style, io.stderr, clock),
    signal,
    count,
    freeBytes,
    sleep: async (ms) => {
      await delay(ms, undefined, { signal });
    },
  };
}

/**
 * `patient`: tries again as a sync does. Otherwise a person waits for the answer: one try, and a few seconds, because head
 * office may ask to wait for an hour.
 */
export async function createCloudApi(
  io: AgentIo,
  folder: string,
  {
    patient,
    privateKey,
  }: { readonly patient: boolean; /** Another one than this folder's. */ readonly privateKey?: Identity['privateKey'] },
): Promise<HttpCloudApi> {
  const paths = dataPaths(folder);
  const known = requireIdentity(paths.identity);
  const identity = privateKey === undefined ? known : { ...known, privateKey };
  const { clock, ids, signal } = io;
  const sign = await createRequestSigner(identity);
  const count = createTransferCount();
  const deps = { api: identity.api, agentVersion: AGENT_VERSION, sign, clock, ids, count, signal, ...timeOf(paths) };
  const retry: RetryPolicy = { execute: (run) => run(0) };
  return new HttpCloudApi(patient ? deps : { ...deps, retry, timeoutMs: agentLimits.lookupTimeoutMs });
}

/** A clock that is further off than a signature may be is known from before: it costs no refused request each time. */
function timeOf({ clock: path }: DataPaths): Pick<CloudApiDeps, 'offsetMs' | 'onTime'> {
  const skewMs = readClockNote(path)?.skewMs ?? 0;
  return { offsetMs: Math.abs(skewMs) < limits.requestSkewMs ? 0 : -skewMs, onTime: (measured) => noteClock(path, measured) };
}

export function progressStyle(io: AgentIo, asked: string | undefined): ProgressStyle {
  if (asked === 'json') return 'json';
  return io.stderr.isTTY === true ? 'terminal' : 'plain';
}

export function printJson(io: AgentIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value)}\n`);
}
