import { keyHash } from '../../core/key-hash.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { FreshSlots } from '../../core/ports/fresh-slots.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { PlanRequest, PlanResponse } from '../../protocol/messages/plan.ts';

/**
 * A store that loads everything needs a slot; one that has none is told to wait, and for how long.
 *
 * Deltas never ask for a slot and cost nothing here, so a thousand stores that load at once cannot hold them up. Waits
 * are spread by the replica's id, so that those who wait do not come back together.
 */
export interface AdmitDeps {
  readonly slots: FreshSlots;
  readonly clock: Clock;
}

export async function admit(
  deps: AdmitDeps,
  { storeId, replicaId, request }: { readonly storeId: string; readonly replicaId: string; readonly request: PlanRequest },
  answer: PlanResponse,
): Promise<PlanResponse> {
  const known = new Set(request.feeds.map(({ feed }) => feed));
  const loads = answer.feeds.filter(({ feed, action }) => action === 'reconcile' && !known.has(feed));
  if (loads.length === 0 || known.size > 0) return answer;
  const now = deps.clock.now();
  if (await deps.slots.take(storeId, { now, until: now + limits.freshSlotMs })) return answer;
  return deferred(answer, new Set(loads.map(({ feed }) => feed)), waitOf(replicaId, now));
}

function deferred(answer: PlanResponse, feeds: ReadonlySet<FeedName>, retryAfterMs: number): PlanResponse {
  return {
    ...answer,
    feeds: answer.feeds.map((plan) =>
      plan.action === 'reconcile' && feeds.has(plan.feed)
        ? { feed: plan.feed, action: 'wait', generation: plan.generation, head: plan.head, retryAfterMs, reason: 'NO_SLOT' }
        : plan,
    ),
  };
}

/** Between one and two `freshRetryMs`, another each time. */
function waitOf(replicaId: string, now: number): number {
  return limits.freshRetryMs + (keyHash(`${replicaId} ${now}`) % limits.freshRetryMs);
}
