import type { ContactResponse } from '../../protocol/messages/contact.ts';
import { type Run, isOver } from '../../protocol/runs.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import { type AgentIo, createCloudApi } from '../agent-io.ts';
import { agentLimits } from '../agent-limits.ts';
import type { RunLog } from './run-log.ts';

/**
 * Tells head office how the run stands, and hears what it wants. A contact that fails is nobody's error: the next one says
 * the same.
 */
export class Contacts {
  readonly #io: AgentIo;
  readonly #data: string;
  readonly #log: () => RunLog;
  readonly #onAnswer: (answer: ContactResponse) => void;
  #told: Run | null = null;
  #sentAt = 0;
  #isRefused = false;
  #pending: Promise<ContactResponse | null> | null = null;
  /** Head office has not seen everything of a run that is over. */
  #isDoubted = false;

  constructor(io: AgentIo, data: string, { log, onAnswer }: { log: () => RunLog; onAnswer?: (answer: ContactResponse) => void }) {
    this.#io = io;
    this.#data = data;
    this.#log = log;
    this.#onAnswer = onAnswer ?? (() => {});
  }

  /** At the last contact head office did not know who asked: that does not pass by itself. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** The run moved: said every few seconds at most. */
  changed(): void {
    if (this.#pending !== null || this.#io.clock.now() - this.#sentAt < agentLimits.progressReportMs) return;
    void this.contact();
  }

  /** null: head office could not be asked. */
  async contact(): Promise<ContactResponse | null> {
    await this.#pending;
    this.#pending = this.#send().finally(() => (this.#pending = null));
    return this.#pending;
  }

  async #send(): Promise<ContactResponse | null> {
    const { run, commands } = this.#log();
    this.#sentAt = this.#io.clock.now();
    try {
      const cloud = await createCloudApi(this.#io, this.#data, { patient: false });
      const isNews = run !== null && (run !== this.#told || this.#isDoubted);
      const answer = await cloud.contact({ run: isNews ? run : null, commands: [...commands] });
      this.#told = run;
      this.#isRefused = false;
      this.#isDoubted = run !== null && isOver(run) && answer.fresh?.runId === run.runId && !answer.fresh.complete;
      this.#onAnswer(answer);
      return answer;
    } catch (error) {
      if (!isSyncError(error)) throw error;
      this.#isRefused = error.code === 'UNAUTHORIZED';
      return null;
    }
  }
}
