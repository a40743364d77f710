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
import { type UploadOutcome, syncStore } from './sync/store-sync.ts';

/**
 * The agent as a service: a sync at its start and then on its schedule, until it is told to stop.
 *
 * Whatever fails, the next turn tries again; a store whose first load is not complete does not wait for its turn. One
 * line a run, on stdout, so that whatever runs the service keeps its log.
 */
export interface RunOptions {
  readonly data: string;
  readonly every: string;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function runCommand(io: AgentIo, options: RunOptions): Promise<ExitCode> {
  const paths = dataPaths(options.data);
  const { replicaId } = requireIdentity(paths.identity);
  const pattern = syncSchedule(replicaId, minutesOf(options.every));
  const lock = lockFolder(paths);
  try {
    const service = new SyncService(io, options);
    await service.turn();
    await service.every(pattern);
    return exitCodes.fine;
  } finally {
    lock.release();
  }
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

  constructor(io: AgentIo, options: RunOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** Resolves when the service was told to stop and the turn under way has ended. */
  async every(pattern: string): Promise<void> {
    const { signal } = this.#io;
    if (signal.aborted) return;
    const job = new Cron(pattern, { timezone: 'UTC', protect: true }, () => (this.#last = this.turn()));
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    job.stop();
    await this.#last;
  }

  async turn(): Promise<void> {
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
