import { ExponentialBackoff, decorrelatedJitterGenerator, handleWhenResult, retry } from 'cockatiel';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * Batch calls of AWS answer with what they left undone, for lack of room in the answer or of capacity. That is sent
 * again after a wait with jitter, and a bounded number of times: who asks at once keeps busy what is busy already.
 */
const TRIES = 8;
const FIRST_WAIT_MS = 25;
const WAIT_MAX_MS = 2_000;

/** `send` resolves to what it left over. `UNAVAILABLE` when there still is something after the last try. */
export async function sendAll<T>(doing: string, items: readonly T[], send: (items: readonly T[]) => Promise<readonly T[]>): Promise<void> {
  if (items.length === 0) return;
  const backoff = new ExponentialBackoff({ generator: decorrelatedJitterGenerator, initialDelay: FIRST_WAIT_MS, maxDelay: WAIT_MAX_MS });
  const policy = retry(
    handleWhenResult((left) => (left as readonly T[]).length > 0),
    { maxAttempts: TRIES - 1, backoff },
  );
  let left = items;
  await policy.execute(async () => (left = await send(left)));
  if (left.length > 0)
    throw new SyncError('UNAVAILABLE', `${doing}: ${left.length} left over after ${TRIES} tries`, { retryAfterMs: 1_000 });
}
