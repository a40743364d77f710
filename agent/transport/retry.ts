import {
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  ExponentialBackoff,
  type IBackoff,
  type IBackoffFactory,
  type IRetryBackoffContext,
  circuitBreaker,
  decorrelatedJitterGenerator,
  handleAll,
  handleWhen,
  retry,
} from 'cockatiel';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';

/**
 * Retries at this one layer only, so that they do not multiply: decorrelated jitter, bounded attempts, and never
 * sooner than head office said, nor all at the moment that it said.
 */
export interface RetrySettings {
  readonly attemptsMax: number;
  readonly firstMs: number;
  readonly maxMs: number;
}

export const defaultRetry: RetrySettings = {
  attemptsMax: agentLimits.attemptsMax,
  firstMs: agentLimits.retryFirstMs,
  maxMs: agentLimits.retryMaxMs,
};

export interface RetryPolicy {
  execute<T>(run: (attempt: number) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** What stands before head office's functions turns away without a word of when to come again. */
export function turnedAway(): SyncError {
  return new SyncError('UNAVAILABLE', 'head office is busy (HTTP 429)', { retryAfterMs: agentLimits.crowdedRetryMs });
}

/** How long it waits each time. */
export function retryBackoff({ firstMs, maxMs }: RetrySettings): IBackoffFactory<Context> {
  return new AtLeastAsAsked(new ExponentialBackoff({ generator: decorrelatedJitterGenerator, initialDelay: firstMs, maxDelay: maxMs }));
}

export function createRetry(settings: RetrySettings): RetryPolicy {
  const policy = retry(
    handleWhen((error) => isSyncError(error, 'CONNECTIVITY') || isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')),
    { maxAttempts: settings.attemptsMax, backoff: retryBackoff(settings) },
  );
  return {
    async execute(run, signal) {
      return policy.execute(({ attempt }) => {
        signal?.throwIfAborted();
        return run(attempt);
      }, signal);
    },
  };
}

/**
 * Between runs, not within one: a store whose uploads fail tries again after a minute, then less and less often and not
 * at the same moment as a thousand others, so that head office is not held down by those who wait for it.
 */
export function createBreaker(firstMs: number = agentLimits.freshAgainMs, maxMs: number = agentLimits.breakerMaxMs): CircuitBreakerPolicy {
  const halfOpenAfter = new ExponentialBackoff({ generator: decorrelatedJitterGenerator, initialDelay: firstMs, maxDelay: maxMs });
  return circuitBreaker(handleAll, { halfOpenAfter, breaker: new ConsecutiveBreaker(1) });
}

type Context = IRetryBackoffContext<unknown>;

class AtLeastAsAsked implements IBackoffFactory<Context> {
  readonly #inner: IBackoffFactory<unknown>;

  constructor(inner: IBackoffFactory<unknown>) {
    this.#inner = inner;
  }

  next(context: Context): IBackoff<Context> {
    const inner = this.#inner.next(context);
    const asked = 'error' in context.result && isSyncError(context.result.error) ? (context.result.error.retryAfterMs ?? 0) : 0;
    const following = new AtLeastAsAsked(inner);
    // Those who were told the same do not come back together.
    return { duration: Math.max(asked * (1 + Math.random()), inner.duration), next: (later) => following.next(later) };
  }
}
