import { nextBatch } from '../../core/outbox/next-batch.ts';
import { limits } from '../../protocol/limits.ts';
import type { PushResponse } from '../../protocol/messages/push.ts';
import type { Operation, UploadProgress } from '../../protocol/operation.ts';
import { type SyncError, isSyncError } from '../../protocol/sync-error.ts';
import type { OutboxFile } from './outbox-file.ts';
import { type PushObjectDeps, pushObject, wantedOperations } from './push-object.ts';

/**
 * Sends what is recorded, in order, and takes the receipts that are there: a large backlog as objects, the rest batch after
 * batch. Whatever is lost on the way, the same is sent again: head office stores each operation once. Throws what head office
 * or the network says; what was not answered to is noted as such and is sent by the next run.
 */
export interface PushDeps extends PushObjectDeps {
  /** From how many unsent operations on they go up as objects, and how many in one. */
  readonly large?: LargeUploads;
  /** Head office has something to say, although nothing waits here. */
  readonly isExpected?: boolean;
}

export interface LargeUploads {
  readonly operationsMin: number;
  readonly operationsMax: number;
}

export interface Pushed {
  readonly sent: number;
  readonly receipts: number;
}

/** Head office was restored more than once within one run: something else is wrong. */
const REWINDS_MAX = 3;

const LARGE: LargeUploads = { operationsMin: limits.uploadOperationsMin, operationsMax: limits.uploadOperationsMax };

export async function pushOutbox(deps: PushDeps): Promise<Pushed> {
  const { outbox, signal } = deps;
  const run = new PushRun(deps);
  let rewinds = 0;
  for (;;) {
    signal.throwIfAborted();
    const turn = run.next();
    const isIdle = turn.operations.length === 0 && run.pushed.sent === 0 && deps.isExpected !== true;
    if (isIdle && outbox.countOpen().withoutReceipt === 0) return run.pushed;
    outbox.note(turn.operations, 'given');
    try {
      if ((await run.send(turn)) === 'done') return run.pushed;
    } catch (error) {
      if (!isSyncError(error, 'OUTBOX_GAP') || ++rewinds > REWINDS_MAX) throw noted(outbox, turn.operations, error);
      outbox.note(turn.operations, 'no-answer');
      outbox.rewind(progressOf(error));
    }
  }
}

/** How far head office is, in its refusal; one of before said less. */
function progressOf({ details = {} }: SyncError): UploadProgress {
  const storedThrough = Number(details['storedThrough'] ?? 0);
  return {
    storedThrough,
    appliedThrough: Number(details['appliedThrough'] ?? storedThrough),
    revisions: Number(details['revisions'] ?? 0),
  };
}

interface Turn {
  readonly as: 'object' | 'batch';
  readonly operations: readonly Operation[];
}

class PushRun {
  readonly #deps: PushDeps;
  readonly #large: LargeUploads;
  #pushed: Pushed = { sent: 0, receipts: 0 };
  /** Objects do not get there: what is left of this run goes in batches. */
  #batchesOnly = false;
  #isResent = false;

  constructor(deps: PushDeps) {
    this.#deps = deps;
    this.#large = deps.large ?? LARGE;
  }

  get pushed(): Pushed {
    return this.#pushed;
  }

  /** What goes up in one go. */
  next(): Turn {
    const { outbox } = this.#deps;
    const { operationsMin, operationsMax } = this.#large;
    if (this.#batchesOnly || outbox.unsentCount() < operationsMin)
      return { as: 'batch', operations: nextBatch(outbox.unsent(limits.pushOperationsMax)) };
    const bounds = { operationsMax, bytesMax: limits.uploadRawBytesMax };
    return { as: 'object', operations: nextBatch(outbox.unsent(operationsMax), bounds) };
  }

  /** `done`: nothing is left to send, and no receipts are there that were not taken. */
  async send({ as, operations }: Turn): Promise<'done' | 'more'> {
    const { outbox, cloud } = this.#deps;
    const after = outbox.storedMark();
    if (as === 'object') {
      const answer = await pushObject(this.#deps, after, operations);
      if (answer === null) {
        this.#batchesOnly = true;
        outbox.note(operations, 'no-answer');
      } else await this.#take(answer, Math.min(operations.length, answer.storedThrough - after.seq));
      return 'more';
    }
    const answer = await cloud.push({ after, operations: [...operations], ...outbox.heard() });
    outbox.acknowledge(answer);
    await this.#take(answer, operations.length);
    const isAll = answer.receipts.length < limits.receiptsMax && answer.revised.length < limits.receiptsMax;
    return operations.length === 0 && isAll ? 'done' : 'more';
  }

  async #take({ receipts, wanted }: PushResponse, sent: number): Promise<void> {
    this.#pushed = { sent: this.#pushed.sent + sent, receipts: this.#pushed.receipts + receipts.length };
    if (wanted === undefined || this.#isResent) return;
    this.#isResent = true;
    const again = wantedOperations(this.#deps.outbox, wanted);
    const answer = again === null ? null : await pushObject(this.#deps, again.after, again.operations);
    if (answer !== null) await this.#take(answer, 0);
  }
}

function noted(outbox: OutboxFile, operations: readonly Operation[], error: unknown): unknown {
  if (isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')) outbox.note(operations, 'busy');
  else outbox.note(operations, 'no-answer');
  return error;
}
