import {
  ExponentialBackoff,
  type IBackoff,
  type IBackoffFactory,
  type IRetryBackoffContext,
  decorrelatedJitterGenerator,
  handleWhen,
  retry,
} from 'cockatiel';
import { isSyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';

/**
 * Retries at this one layer only, so that they do not multiply: decorrelated jitter, bounded attempts, and never
 * sooner than head office said.
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

export function createRetry(settings: RetrySettings): RetryPolicy {
  const jitter = new ExponentialBackoff({
    generator: decorrelatedJitterGenerator,
    initialDelay: settings.firstMs,
    maxDelay: settings.maxMs,
  });
  const policy = retry(
    handleWhen((error) => isSyncError(error, 'CONNECTIVITY') || isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')),
    { maxAttempts: settings.attemptsMax, backoff: new AtLeastAsAsked(jitter) },
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
    return { duration: Math.max(asked, inner.duration), next: (later) => following.next(later) };
  }
}
