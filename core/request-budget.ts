/**
 * How many requests one caller may make: `burst` at once, and `perSecond` in the long run. Each caller has a bucket that fills
 * with time; a request takes one out of it.
 */
export interface RequestBudget {
  readonly perSecond: number;
  readonly burst: number;
}

export interface Bucket {
  readonly left: number;
  /** When that was, ms. */
  readonly at: number;
}

export interface Spent {
  readonly bucket: Bucket;
  /** 0: it may. Otherwise how long until it may, ms; nothing was taken. */
  readonly waitMs: number;
}

/** `null`: never seen, so its bucket is full. A clock that went back gives nothing and takes nothing. */
export function spend(budget: RequestBudget, before: Bucket | null, now: number): Spent {
  const at = Math.max(now, before?.at ?? now);
  const filled = before === null ? budget.burst : before.left + ((at - before.at) / 1_000) * budget.perSecond;
  const left = Math.min(budget.burst, filled);
  if (left < 1) return { bucket: { left, at }, waitMs: Math.ceil(((1 - left) / budget.perSecond) * 1_000) };
  return { bucket: { left: left - 1, at }, waitMs: 0 };
}

/** Whether nothing would be known without it. */
export function isFull(budget: RequestBudget, { left, at }: Bucket, now: number): boolean {
  return left + ((now - at) / 1_000) * budget.perSecond >= budget.burst;
}
