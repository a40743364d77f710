import { setTimeout as delay } from 'node:timers/promises';
import { Cron } from 'croner';
import { type SyncMinutes, SYNC_MINUTES, syncSchedule } from '../core/sync-schedule.ts';
import { isSyncError, SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, progressStyle } from './agent-io.ts';
import { agentLimits } from './agent-limits.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import { freshOutstanding } from './sync/fresh-standing.ts';
import { createBreaker } from './transport/retry.ts';
import { type UploadOutcome, syncStore, upload } from './sync/store-sync.ts';
import { askToRedeem } from './command-redeem.ts';
import { statusOf } from './command-status.ts';
import { type LocalServer, serveLocalApi } from './local-api/serve.ts';
import type { OutboxFile } from './outbox/outbox-file.ts';
import type { StoreRecords } from './outbox/store-records.ts';
import { hasUnsent, withStore } from './outbox/with-store.ts';

/**
 * The agent as a service: a sync at its start and then on its schedule, until it is told to stop.
 *
 * Whatever fails, the next turn tries again; a store whose first load is not complete does not wait for its turn. One
 * line a run, on stdout, so that whatever runs the service keeps its log.
 */
export interface RunOptions {
  readonly data: string;
  readonly every: string;
  /** Of the local API; without it there is none. */
  readonly port?: string;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function runCommand(io: AgentIo, options: RunOptions): Promise<ExitCode> {
  const paths = dataPaths(options.data);
  const { replicaId } = requireIdentity(paths.identity);
  const pattern = syncSchedule(replicaId, minutesOf(options.every));
  const lock = lockFolder(paths);
  const service = new SyncService(io, options);
  let server: LocalServer | null = null;
  try {
    if (options.port !== undefined) server = await serveStore(io, options, () => service.ask());
    await service.turn();
    await service.every(pattern);
    return exitCodes.fine;
  } finally {
    await server?.close();
    lock.release();
  }
}

async function serveStore(io: AgentIo, { data, port }: RunOptions, requestSync: () => void): Promise<LocalServer> {
  const paths = dataPaths(data);
  const deps = {
    status: () => statusOf(data),
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

/** One turn: what came of it, as it is logged. */
interface Turn {
  readonly at: string;
  readonly kind?: 'fresh' | 'delta';
  readonly complete: boolean;
  readonly rows?: number;
  readonly up?: UploadOutcome;
  readonly bytes: number;
  readonly seconds: number;
  readonly error?: { readonly code: string; readonly message: string };
}

class SyncService {
  readonly #io: AgentIo;
  readonly #options: RunOptions;
  #last: Promise<void> = Promise.resolve();
  #isBusy = false;
  #isAsked = false;
  readonly #breaker = createBreaker();

  constructor(io: AgentIo, options: RunOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** Resolves when the service was told to stop and the turn under way has ended. */
  async every(pattern: string): Promise<void> {
    const { signal } = this.#io;
    if (signal.aborted) return;
    const job = new Cron(pattern, { timezone: 'UTC', protect: true }, () => (this.#last = this.turn()));
    const watching = this.#watch();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    job.stop();
    await Promise.all([this.#last, watching]);
  }

  /** Somebody wants a sync now. */
  ask(): void {
    this.#isAsked = true;
  }

  /** What is recorded goes up within seconds; after trouble the breaker waits longer each time, and the schedule tries all the same. */
  async #watch(): Promise<void> {
    const { signal } = this.#io;
    while (!signal.aborted) {
      await this.#io.sleep(agentLimits.outboxPollMs).catch(() => {});
      if (signal.aborted || this.#isBusy) continue;
      if (this.#isAsked) this.#last = this.turn();
      else if (hasUnsent(this.#options.data)) await this.#upload();
      await this.#last;
    }
  }

  async #upload(): Promise<void> {
    this.#isBusy = true;
    try {
      await this.#breaker.execute(async () => {
        const { failure } = await upload(this.#io, this.#options.data);
        if (failure !== null) throw new SyncError('UNAVAILABLE', failure.message);
      });
    } catch {
      // The next turn meets the same and says so.
    } finally {
      this.#isBusy = false;
    }
  }

  async turn(): Promise<void> {
    this.#isAsked = false;
    this.#isBusy = true;
    try {
      await this.#turns();
    } finally {
      this.#isBusy = false;
    }
  }

  async #turns(): Promise<void> {
    for (;;) {
      const turn = await this.#sync();
      if (turn === null) return;
      this.#log(turn);
      if (turn.complete || this.#freshIsComplete() || !(await this.#pause())) return;
    }
  }

  /** null: it was told to stop. */
  async #sync(): Promise<Turn | null> {
    const { clock, signal } = this.#io;
    const { data, progress } = this.#options;
    const startedAt = clock.now();
    const style = progressStyle(this.#io, progress);
    const ended = () => ({ at: new Date(startedAt).toISOString(), bytes: 0, seconds: (clock.now() - startedAt) / 1_000 });
    try {
      const { kind, outstanding, changes, up, transfer } = await syncStore(this.#io, { data, style, options: { wait: true } });
      const rows = [...changes.values()].reduce((sum, count) => sum + count, 0);
      return { ...ended(), bytes: transfer.bytes, kind, complete: outstanding.length === 0, rows, up };
    } catch (error) {
      if (signal.aborted) return null;
      // A bug of one turn must not end a service that runs for years: it is logged, and the next turn starts anew.
      const { code, message } = isSyncError(error) ? error : { code: 'INTERNAL', message: (error as Error).stack ?? String(error) };
      return { ...ended(), complete: false, error: { code, message } };
    }
  }

  /** false: it was told to stop. */
  async #pause(): Promise<boolean> {
    try {
      await delay(agentLimits.freshAgainMs, undefined, { signal: this.#io.signal });
      return true;
    } catch {
      return false;
    }
  }

  #freshIsComplete(): boolean {
    const db = openReadOnly(dataPaths(this.#options.data).replica);
    if (db === null) return false;
    try {
      return freshOutstanding(new Replica(db))?.length === 0;
    } finally {
      db.close();
    }
  }

  #log(turn: Turn): void {
    this.#io.stdout.write(`${this.#options.json === true ? JSON.stringify(turn) : describe(turn)}\n`);
  }
}

function describe({ at, kind, complete, rows, bytes, seconds, error }: Turn): string {
  if (error !== undefined) return `${at} sync failed after ${seconds} s: ${error.code}: ${error.message}`;
  return `${at} ${kind} sync ${complete ? 'complete' : 'not complete'} after ${seconds} s: ${rows} rows changed, ${bytes} bytes`;
}

function minutesOf(text: string): SyncMinutes {
  const minutes = SYNC_MINUTES.find((known) => String(known) === text);
  if (minutes === undefined) throw new SyncError('INVALID_INPUT', `--every is one of ${SYNC_MINUTES.join(', ')}, not ${text}`);
  return minutes;
}
