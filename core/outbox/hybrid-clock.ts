/**
 * Hybrid logical clock: milliseconds × 1,000 plus a counter, as one safe integer (until the year 2255).
 *
 * It follows the wall clock, never goes back, and is never behind anything the replica has seen: what a user changed
 * after seeing a value always counts as later than that value, however wrong the store's clock is.
 */
export const CLOCK_PER_MS = 1_000;

export function clockAt(ms: number): number {
  return ms * CLOCK_PER_MS;
}

/** The next tick: `last` is the highest ever given out or seen. */
export function nextTick(last: number, now: number): number {
  return Math.max(last + 1, clockAt(now));
}

/** At head office: a clock that runs ahead counts as at most this far ahead of when its operation came in. */
export const CLOCK_AHEAD_MAX_MS = 300_000;

/**
 * An operation as it counts at head office. `receivedAt`: server time, ms; it may be judged much later, and what was said
 * between then is later than it. `place`: among those that came in together; of one store's changes the later one stays the later.
 */
export function asReceived<T extends { readonly clock: number }>(
  operation: T,
  { receivedAt, place }: { readonly receivedAt: number; readonly place: number },
): T {
  const most = clockAt(receivedAt + CLOCK_AHEAD_MAX_MS);
  return operation.clock <= most ? operation : { ...operation, clock: most + 1 + place };
}
