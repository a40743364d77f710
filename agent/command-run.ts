import { syncSchedule } from '../core/sync-schedule.ts';
import { type SyncMinutes, SYNC_MINUTES, SYNC_MINUTES_DEFAULT } from '../protocol/store-settings.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, progressStyle } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { standingOf } from './runs/store-facts.ts';
import { SyncService, type Turn } from './runs/sync-service.ts';
import type { UploadOutcome } from './sync/store-sync.ts';
import { askToRedeem } from './command-redeem.ts';
import { statusOf } from './command-status.ts';
import { type LocalServer, serveLocalApi } from './local-api/serve.ts';
import type { OutboxFile } from './outbox/outbox-file.ts';
import type { StoreRecords } from './outbox/store-records.ts';
import { withStore } from './outbox/with-store.ts';

/**
 * The agent as a service: a sync at its start and then on its schedule, until it is told to stop.
 *
 * Whatever fails, the next turn tries again; a store whose first load is not complete does not wait for its turn. One
 * line a run, on stdout, so that whatever runs the service keeps its log.
 */
export interface RunOptions {
  readonly data: string;
  /** Without it head office says how often. */
  readonly every?: string;
  /** Of the local API; without it there is none. */
  readonly port?: string;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function runCommand(io: AgentIo, options: RunOptions): Promise<ExitCode> {
  const paths = dataPaths(options.data);
  const { replicaId } = requireIdentity(paths.identity);
  const installed = options.every === undefined ? null : minutesOf(options.every);
  const minutes = () => installed ?? standingOf(options.data).syncMinutes ?? SYNC_MINUTES_DEFAULT;
  const lock = lockFolder(paths);
  const service = new SyncService(io, {
    data: options.data,
    style: progressStyle(io, options.progress),
    onSchedule: (pattern) => void io.stderr.write(`Syncs at ${pattern} UTC, every ${minutes()} minutes.\n`),
    onTurn: (turn) => {
      const logged = loggedTurn(io, turn);
      io.stdout.write(`${options.json === true ? JSON.stringify(logged) : describe(logged)}\n`);
    },
  });
  let server: LocalServer | null = null;
  try {
    if (options.port !== undefined) server = await serveStore(io, options, () => service.ask('LOGON'));
    await service.run(() => syncSchedule(replicaId, minutes()));
    return exitCodes.fine;
  } finally {
    await server?.close();
    lock.release();
  }
}

async function serveStore(io: AgentIo, { data, port }: RunOptions, requestSync: () => void): Promise<LocalServer> {
  const paths = dataPaths(data);
  const deps = {
    status: () => statusOf(data, io.clock.now()),
    requestSync,
    redeem: (collection: string, record: unknown) => askToRedeem(io, data, { collection, record }),
    log: (line: string) => void io.stderr.write(`${line}\n`),
    withRecords: <T>(run: (store: { records: StoreRecords; outbox: OutboxFile }) => T): T =>
      withStore(io, data, ({ records, outbox }) => run({ records, outbox })),
  };
  const server = await serveLocalApi(deps, { file: paths.localApi, port: portOf(port ?? '0') });
  io.stderr.write(`The local API is at http://127.0.0.1:${server.port}; its token stands in ${paths.localApi}\n`);
  return server;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new SyncError('INVALID_INPUT', `--port ${text} is not a port: a number from 0 to 65535`);
  return port;
}

/** One turn, as it is logged. */
interface LoggedTurn {
  readonly at: string;
  readonly kind?: 'fresh' | 'delta';
  readonly complete: boolean;
  readonly rows?: number;
  readonly up?: UploadOutcome;
  readonly bytes: number;
  readonly seconds: number;
  readonly error?: { readonly code: string; readonly message: string };
}

function loggedTurn(io: AgentIo, { startedAt, outcome, error }: Turn): LoggedTurn {
  const ended = { at: new Date(startedAt).toISOString(), bytes: 0, seconds: (io.clock.now() - startedAt) / 1_000 };
  if (error !== null) return { ...ended, complete: false, error };
  if (outcome === null) return { ...ended, complete: false };
  const { kind, outstanding, changes, up, transfer } = outcome;
  const rows = [...changes.values()].reduce((sum, count) => sum + count, 0);
  return { ...ended, bytes: transfer.bytes, kind, complete: outstanding.length === 0, rows, up };
}

function describe({ at, kind, complete, rows, bytes, seconds, error }: LoggedTurn): string {
  if (error !== undefined) return `${at} sync failed after ${seconds} s: ${error.code}: ${error.message}`;
  return `${at} ${kind} sync ${complete ? 'complete' : 'not complete'} after ${seconds} s: ${rows} rows changed, ${bytes} bytes`;
}

function minutesOf(text: string): SyncMinutes {
  const minutes = SYNC_MINUTES.find((known) => String(known) === text);
  if (minutes === undefined) throw new SyncError('INVALID_INPUT', `--every is one of ${SYNC_MINUTES.join(', ')}, not ${text}`);
  return minutes;
}
