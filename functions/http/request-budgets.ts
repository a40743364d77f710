import { type Bucket, type RequestBudget, isFull, spend } from '../../core/request-budget.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * That one agent which asks without end does not take the functions from the others. Kept in the memory of one instance of a
 * function and nowhere else, so it costs no request to count one; an agent that asks without end comes to few instances, because
 * it waits for each answer.
 */
export class RequestBudgets {
  readonly #budget: RequestBudget;
  readonly #callersMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(budget: RequestBudget, callersMax: number) {
    this.#budget = budget;
    this.#callersMax = callersMax;
  }

  /** Throws `UNAVAILABLE`, as 429, with how long to wait. */
  take(caller: string, now: number): void {
    const { bucket, waitMs } = spend(this.#budget, this.#buckets.get(caller) ?? null, now);
    if (!this.#buckets.has(caller) && this.#buckets.size >= this.#callersMax) this.#makeRoom(now);
    this.#buckets.set(caller, bucket);
    if (waitMs <= 0) return;
    // Agents go by the code; 429, because it is this agent's doing and no failure of head office, which 5xx counts as.
    throw new SyncError('UNAVAILABLE', 'this agent asks more often than any needs to', { retryAfterMs: waitMs, status: 429 });
  }

  /** Whoever was quiet for a while is forgotten; where nobody was, everybody begins anew. */
  #makeRoom(now: number): void {
    for (const [caller, bucket] of this.#buckets) if (isFull(this.#budget, bucket, now)) this.#buckets.delete(caller);
    if (this.#buckets.size >= this.#callersMax) this.#buckets.clear();
  }
}
