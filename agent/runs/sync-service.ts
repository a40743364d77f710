import { Cron } from 'croner';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import type { FeedName } from '../../protocol/feed.ts';
import type { ContactResponse } from '../../protocol/messages/contact.ts';
import { type Command, type ManualResult, type RunTrigger, isCommandOver } from '../../protocol/runs.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import type { AgentIo } from '../agent-io.ts';
import { agentLimits } from '../agent-limits.ts';
import { type DataPaths, dataPaths } from '../data-folder.ts';
import { hasUnsent } from '../outbox/with-store.ts';
import type { ProgressStyle } from '../progress/progress-lines.ts';
import { dropCertificates } from '../sync/drop-certificates.ts';
import { type StoreSyncOutcome, upload } from '../sync/store-sync.ts';
import { createBreaker } from '../transport/retry.ts';
import { Contacts } from './contacts.ts';
import { type ManualWork, manualSync } from './manual-sync.ts';
import { type StoreAnswer, type StoreRequest, answerRequest, readRequests } from './requests.ts';
import { RunLog } from './run-log.ts';
import { standingOf } from './store-facts.ts';
import { runStore } from './store-run.ts';

/**
 * Everything a store's agent does while it runs, one thing at a time (INV-46): syncs at its start, on its schedule and when
 * somebody logs on, manual syncs that head office or the store asks for, and what was recorded meanwhile. Beside that it comes
 * by at head office every minute.
 */
export interface ServiceOptions {
  readonly data: string;
  readonly style: ProgressStyle;
  /** One turn is over. */
  readonly onTurn: (turn: Turn) => void;
  /** It syncs by this pattern from now on. */
  readonly onSchedule: (pattern: string) => void;
}

export interface Turn {
  readonly startedAt: number;
  readonly outcome: StoreSyncOutcome | null;
  readonly error: { readonly code: ErrorCodeName; readonly message: string } | null;
}

interface Job {
  readonly isManual: boolean;
  /** Of head office. */
  readonly commandId: string | null;
}

export class SyncService {
  readonly #io: AgentIo;
  readonly #options: ServiceOptions;
  readonly #paths: DataPaths;
  readonly #log: RunLog;
  readonly #contacts: Contacts;
  readonly #breaker = createBreaker();
  #commands: Command[] = [];
  #prove: readonly FeedName[] = [];
  #asked: RunTrigger | null = null;
  #againAt = Number.POSITIVE_INFINITY;
  /** What is under way may be stopped by head office, and a sync by whoever asks for a manual one in its place. */
  #job: (Job & { readonly abort: AbortController }) | null = null;

  constructor(io: AgentIo, options: ServiceOptions) {
    this.#io = io;
    this.#options = options;
    this.#paths = dataPaths(options.data);
    this.#contacts = new Contacts(io, options.data, { log: () => this.#log, onAnswer: (answer) => this.#heard(answer) });
    this.#log = new RunLog({ path: this.#paths.runs, clock: io.clock, ids: io.ids, onChange: () => this.#changed() });
  }

  /** Somebody wants a sync now. */
  ask(trigger: RunTrigger): void {
    this.#asked ??= trigger;
  }

  /** Resolves when the service was told to stop and what was under way has ended. `pattern` may be another one after each sync. */
  async run(pattern: () => string): Promise<void> {
    const { signal } = this.#io;
    this.ask('START');
    let schedule = this.#schedule(pattern());
    const coming = this.#comeBy();
    while (!signal.aborted) {
      const isSync = this.#asked !== null;
      await this.#next();
      if (isSync && schedule.getPattern() !== pattern()) {
        schedule.stop();
        schedule = this.#schedule(pattern());
      }
      await this.#io.sleep(this.#asked === null ? agentLimits.outboxPollMs : 0).catch(() => {});
    }
    schedule.stop();
    await coming;
  }

  #schedule(pattern: string): Cron {
    this.#options.onSchedule(pattern);
    return new Cron(pattern, { timezone: 'UTC', protect: true }, () => this.ask('SCHEDULE'));
  }

  async #next(): Promise<void> {
    const requests = readRequests(this.#paths);
    const [request] = requests;
    const taking = requests.find(takesOver);
    const [command] = this.#commands;
    if (this.#prove.length > 0) {
      dropCertificates(this.#io, this.#paths, this.#prove);
      this.#prove = [];
      this.ask('COMMAND');
    }
    if (this.#io.clock.now() >= this.#againAt) this.ask('SCHEDULE');
    if (taking !== undefined && this.#isPlanned()) await this.#answer(taking);
    else if (command?.takeOver === true && this.#isPlanned()) await this.#command(command);
    else if (this.#asked !== null) await this.#sync();
    else if (request !== undefined) await this.#answer(request);
    else if (command !== undefined) await this.#command(command);
    else if (hasUnsent(this.#options.data)) await this.#upload();
  }

  async #sync(): Promise<void> {
    const trigger = this.#asked ?? 'SCHEDULE';
    this.#asked = null;
    this.#againAt = Number.POSITIVE_INFINITY;
    const turn = await this.#turn(trigger);
    if (turn === null) return;
    this.#options.onTurn(turn);
    // A store whose first load is not complete does not wait for its turn, unless somebody stopped it.
    if (this.#log.run?.state === 'CANCELLED') return;
    if (turn.outcome?.outstanding.length !== 0 && standingOf(this.#options.data).outstanding?.length !== 0) {
      this.#againAt = this.#io.clock.now() + agentLimits.freshAgainMs;
    }
  }

  /** null: it was told to stop. */
  async #turn(trigger: RunTrigger): Promise<Turn | null> {
    const startedAt = this.#io.clock.now();
    const { data, style } = this.#options;
    try {
      const outcome = await this.#work({ isManual: false, commandId: null }, (io) =>
        runStore(io, this.#log, { data, style, options: { wait: true }, trigger }),
      );
      return { startedAt, outcome, error: null };
    } catch (error) {
      if (this.#io.signal.aborted) return null;
      // A bug of one turn must not end a service that runs for years: it is logged, and the next turn starts anew.
      const { code, message } = isSyncError(error)
        ? error
        : { code: 'INTERNAL' as const, message: (error as Error).stack ?? String(error) };
      return { startedAt, outcome: null, error: { code, message } };
    }
  }

  /** One thing at a time, that may be stopped; whatever came of it, head office hears. */
  async #work<T>(job: Job, work: (io: AgentIo) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.#job = { ...job, abort };
    const signal = AbortSignal.any([this.#io.signal, abort.signal]);
    try {
      return await work({ ...this.#io, signal });
    } catch (error) {
      if (abort.signal.aborted) this.#log.cancel();
      throw error;
    } finally {
      this.#job = null;
      await this.#contacts.contact();
    }
  }

  async #answer(request: StoreRequest): Promise<void> {
    const { data, style } = this.#options;
    const answer = (more: Partial<StoreAnswer>): void =>
      answerRequest(this.#paths, request.id, { run: this.#log.run, result: null, failure: null, ...more });
    if (request.ask === 'logon') {
      const turn = await this.#turn('LOGON');
      if (turn !== null) this.#options.onTurn(turn);
      answer({ failure: turn?.error ?? null });
      return;
    }
    const work: ManualWork = { ...request, commandId: null };
    try {
      answer({
        result: await this.#work({ isManual: true, commandId: null }, (io) =>
          manualSync(io, this.#log, { data, style, work, trigger: 'STORE' }),
        ),
      });
    } catch (error) {
      answer({ failure: failureOf(error) });
    }
  }

  async #command(command: Command): Promise<void> {
    const { commandId, kind, components, preview } = command;
    const { data, style } = this.#options;
    this.#log.report({ commandId, state: 'RUNNING', result: null, failure: null });
    await this.#contacts.contact();
    let result: ManualResult | null = null;
    let failure: { code: string; message: string } | null = null;
    try {
      const work: ManualWork = { kind, components, preview, commandId };
      result = await this.#work({ isManual: true, commandId }, (io) =>
        manualSync(io, this.#log, { data, style, work, trigger: 'COMMAND' }),
      );
    } catch (error) {
      // The agent is told to stop: the next one takes it up again.
      if (this.#io.signal.aborted) return;
      failure = failureOf(error);
    }
    this.#log.report({ commandId, state: failure === null ? 'DONE' : 'FAILED', result, failure });
    this.#commands = this.#commands.filter((one) => one.commandId !== commandId);
    await this.#contacts.contact();
  }

  /** What is recorded goes up within seconds; after trouble the breaker waits longer each time, and the schedule tries all the same. */
  async #upload(): Promise<void> {
    try {
      await this.#breaker.execute(async () => {
        const { failure } = await upload(this.#io, this.#options.data);
        if (failure !== null) throw new SyncError('UNAVAILABLE', failure.message);
      });
    } catch {
      // The next turn meets the same and says so.
    }
  }

  async #comeBy(): Promise<void> {
    while (!this.#io.signal.aborted) {
      await this.#contacts.contact();
      if (this.#isTakenOver()) this.#stop();
      await this.#io.sleep(this.#contacts.isRefused ? agentLimits.refusedContactMs : agentLimits.contactMs).catch(() => {});
    }
  }

  #changed(): void {
    this.#contacts.changed();
    if (this.#isTakenOver()) this.#stop();
  }

  #isTakenOver(): boolean {
    if (this.#job === null || this.#job.isManual) return false;
    const isAsked = this.#commands.some(({ takeOver, preview }) => takeOver && !preview) || readRequests(this.#paths).some(takesOver);
    return isAsked && this.#isPlanned();
  }

  #stop(): void {
    this.#job?.abort.abort(
      new SyncError('NOT_COMPLETE', 'this run was stopped: head office cancelled it, or a manual sync took its place'),
    );
  }

  /** A manual sync is of what head office said this store has: until it has said so, nothing can take the place of the first sync. */
  #isPlanned(): boolean {
    return standingOf(this.#options.data).components !== null;
  }

  #heard(answer: ContactResponse): void {
    const over = new Set(this.#log.commands.flatMap((report) => (isCommandOver(report) ? [report.commandId] : [])));
    this.#commands = answer.commands.filter(({ commandId }) => !over.has(commandId));
    const job = this.#job;
    const isGone = job !== null && job.commandId !== null && answer.commands.every(({ commandId }) => commandId !== job.commandId);
    const isCancelled = answer.cancelRun !== null && answer.cancelRun === this.#log.run?.runId;
    if (isGone || isCancelled || this.#isTakenOver()) this.#stop();
    if (answer.fresh !== null && !answer.fresh.complete && job === null) this.#prove = answer.fresh.prove;
  }
}

function takesOver(request: StoreRequest): boolean {
  return request.ask === 'manual' && request.takeOver && !request.preview;
}

function failureOf(error: unknown): { code: ErrorCodeName; message: string } {
  return isSyncError(error)
    ? { code: error.code, message: error.message.slice(0, 500) }
    : { code: 'INTERNAL', message: 'a bug; the log says more' };
}
