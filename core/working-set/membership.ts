import type { Scope } from '../../protocol/feed.ts';
import type { MainRecord } from '../ports/record-store.ts';

/**
 * The stores that hold a customer: the one of registration, and each that billed the customer in the last `windowMs`
 * (the domain page's 24 months). From the customer's own record and bills and nothing else, so it may be worked out again at
 * any time and by anybody, and comes out the same.
 */
export interface Membership {
  readonly scopes: readonly Scope[];
  /** The UTC day after which it is to be worked out again, because a store drops out; null: none does by itself. */
  readonly reviewDay: string | null;
}

export function membershipOf(
  customer: MainRecord,
  bills: readonly MainRecord[],
  { now, windowMs }: { readonly now: number; readonly windowMs: number },
): Membership {
  const until = new Map<string, number>();
  for (const { fields, deleted } of bills) {
    const at = Date.parse(String(fields['billing_time']));
    const store = fields['store_code'];
    if (deleted || typeof store !== 'string' || !(at + windowMs > now)) continue;
    until.set(store, Math.max(until.get(store) ?? 0, at + windowMs));
  }
  const home = customer.fields['registered_store'];
  if (typeof home === 'string') until.set(home, Number.POSITIVE_INFINITY);
  const first = Math.min(...until.values());
  return {
    scopes: [...until.keys()].sort().map((store): Scope => `store:${store}`),
    reviewDay: Number.isFinite(first) ? dayOf(first) : null,
  };
}

/** Whether a bill keeps its customer at its store. */
export function isRecent({ fields, deleted }: MainRecord, { now, windowMs }: { readonly now: number; readonly windowMs: number }): boolean {
  return !deleted && Date.parse(String(fields['billing_time'])) + windowMs > now;
}

/** A list of customers to look at on a day stands under this owner. */
export function reviewOwner(day: string): string {
  return `review/${day}`;
}

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
