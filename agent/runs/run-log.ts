import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { ComponentEvent } from '../../core/runs/component-status.ts';
import { type RunPlan, applyEvent, cancelRun, failRun, pauseRun, planRun, startRun } from '../../core/runs/run.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import {
  type CommandReport,
  type Run,
  type RunDirection,
  type RunKind,
  type RunTrigger,
  commandReportSchema,
  isOver,
  runSchema,
} from '../../protocol/runs.ts';
import { writeDurably } from '../durable-file.ts';
import type { Progress } from '../progress/progress.ts';

/**
 * The run of this store as people see it, kept in `runs.json`: what is under way, or how the last one ended. A run that was
 * interrupted is found here and gone on with. What became of commands stays here until head office has heard it.
 */
const notesSchema = z.object({ run: runSchema.nullable(), commands: z.array(commandReportSchema) });
export type RunNotes = z.infer<typeof notesSchema>;

const NOTHING: RunNotes = { run: null, commands: [] };
/** Saved this often while it works; a start and an end at once. */
const SAVE_MS = 1_000;
const COMMANDS_KEPT = 20;

/** What is damaged says nothing: the next run writes it anew. */
export function readRunNotes(path: string): RunNotes {
  if (!existsSync(path)) return NOTHING;
  try {
    return notesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return NOTHING;
  }
}

export interface RunLogDeps {
  readonly path: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Whenever the run changed; it must not wait. */
  readonly onChange?: (run: Run) => void;
}

export interface RunStart {
  readonly kind: RunKind;
  readonly trigger: RunTrigger;
  readonly replicaId: string;
  readonly declaredThrough: number;
  readonly commandId?: string | null;
}

export class RunLog {
  readonly #deps: RunLogDeps;
  #notes: RunNotes;
  #savedAt = 0;

  constructor(deps: RunLogDeps) {
    this.#deps = deps;
    this.#notes = readRunNotes(deps.path);
  }

  get run(): Run | null {
    return this.#notes.run;
  }

  get commands(): readonly CommandReport[] {
    return this.#notes.commands;
  }

  /** In place of whatever was there; what was not over is cancelled, and said to be. */
  start(start: RunStart): Run {
    if (this.run !== null) this.#set(cancelRun(this.run, this.#at()));
    const run = startRun({ ...start, runId: this.#deps.ids.next(), startedAt: this.#at(), commandId: start.commandId ?? null });
    this.#set(run);
    return run;
  }

  plan(plan: RunPlan): void {
    if (this.run !== null) this.#set(planRun(this.run, plan, this.#at()));
  }

  event(component: ComponentName, direction: RunDirection, event: ComponentEvent): void {
    if (this.run !== null) this.#set(applyEvent(this.run, { component, direction, event }, this.#at()));
  }

  pause(code: ErrorCodeName, resumeAfter: number): void {
    if (this.run !== null) this.#set(pauseRun(this.run, { code, resumeAfter: new Date(resumeAfter).toISOString() }, this.#at()));
  }

  fail(code: ErrorCodeName, message: string): void {
    if (this.run !== null) this.#set(failRun(this.run, { code, message }, this.#at()));
  }

  cancel(): void {
    if (this.run !== null) this.#set(cancelRun(this.run, this.#at()));
  }

  /** What became of a command; said to head office until it has heard it. */
  report(report: CommandReport): void {
    const others = this.#notes.commands.filter(({ commandId }) => commandId !== report.commandId);
    this.#notes = { ...this.#notes, commands: [...others, report].slice(-COMMANDS_KEPT) };
    this.#save();
  }

  /** A sync tells it how far it is while it tells people. */
  watching(inner: Progress): Progress {
    const sums = new Map<ComponentName, { done: number; total: number }>();
    const tell = (component: ComponentName, more: { done: number; total: number }) => {
      const before = sums.get(component) ?? { done: 0, total: 0 };
      const sum = { done: before.done + more.done, total: before.total + more.total };
      sums.set(component, sum);
      this.event(component, 'DOWN', { type: 'PROGRESS', phase: 'DOWNLOAD', ...sum });
    };
    return {
      entered: (component, phase) => {
        const { done, total } = sums.get(component) ?? { done: 0, total: null };
        this.event(component, 'DOWN', { type: 'PROGRESS', phase, done, total });
        inner.entered(component, phase);
      },
      planned: (component, work) => {
        tell(component, { done: 0, total: work.rows });
        inner.planned(component, work);
      },
      advanced: (component, work) => {
        tell(component, { done: work.rows, total: 0 });
        inner.advanced(component, work);
      },
      note: (text) => inner.note(text),
      end: () => inner.end(),
    };
  }

  #at(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }

  #set(run: Run): void {
    const before = this.run;
    if (run === before) return;
    this.#notes = { ...this.#notes, run };
    const isTurn = before?.runId !== run.runId || before.state !== run.state || isOver(run);
    if (isTurn || this.#deps.clock.now() - this.#savedAt >= SAVE_MS) this.#save();
    this.#deps.onChange?.(run);
  }

  #save(): void {
    writeDurably(this.#deps.path, JSON.stringify(this.#notes));
    this.#savedAt = this.#deps.clock.now();
  }
}
