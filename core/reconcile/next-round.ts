import type { FeedName } from '../../protocol/feed.ts';
import type { FeedPlan, PlanResponse } from '../../protocol/messages/plan.ts';

/**
 * What a replica does with one answer of head office.
 *
 * Leaving comes first, because a store that moved to another zone gets the new zone's rows in the same tables. A feed that
 * never got a cursor is not asked for, so it is not answered with `leave`; it may hold ranges of a reconcile that was cut
 * off all the same. So whatever is not among the components' feeds is left (INV-40).
 * Pages come before snapshots: they are here already. Only a replica that holds nothing at all is loaded in bulk,
 * because a bulk load replaces the whole file.
 */
export type TailPlan = Extract<FeedPlan, { action: 'tail' }>;
export type SnapshotPlan = Extract<FeedPlan, { action: 'reconcile' }>;

export interface Round {
  readonly leave: readonly FeedName[];
  readonly tails: readonly TailPlan[];
  readonly snapshots: readonly SnapshotPlan[];
  readonly mode: 'bulk' | 'in-place';
  /** Feeds that only time brings. */
  readonly waiting: readonly FeedName[];
  /** It is this store's turn later: others load everything now. */
  readonly queued: boolean;
  /** null: nothing to wait for. */
  readonly retryAfterMs: number | null;
  /** Pages are left at head office: ask again. */
  readonly more: boolean;
}

export function nextRound(
  { feeds, components }: Pick<PlanResponse, 'feeds' | 'components'>,
  replica: { readonly empty: boolean; readonly feeds: readonly FeedName[] },
): Round {
  const of = <A extends FeedPlan['action']>(action: A) =>
    feeds.filter((plan): plan is Extract<FeedPlan, { action: A }> => plan.action === action);
  const waits = of('wait');
  const tails = of('tail');
  const inScope = new Set(components.flatMap((component) => component.feeds));
  return {
    leave: replica.feeds.filter((feed) => !inScope.has(feed)),
    tails: tails.filter((plan) => plan.segments.length > 0 || plan.pages.length > 0),
    snapshots: of('reconcile'),
    mode: replica.empty ? 'bulk' : 'in-place',
    waiting: waits.map((plan) => plan.feed),
    queued: waits.some((plan) => plan.reason === 'NO_SLOT'),
    retryAfterMs: waits.length === 0 ? null : Math.max(...waits.map((plan) => plan.retryAfterMs)),
    more: tails.some((plan) => plan.more),
  };
}
