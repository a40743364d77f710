import type { Ids } from '../../core/ports/clock.ts';
import type { CompactionRequests } from '../../core/ports/compaction-requests.ts';
import type { FeedState, FeedStore } from '../../core/ports/feed-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { FreshOutcome, FreshRunAnswer, FreshRunRequest } from '../../protocol/messages/fresh-run.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { readOrCreateFeeds } from '../read-or-create-feeds.ts';

/**
 * One step of the workflow `fresh-sync`. Every step may be repeated: nothing is counted or remembered here.
 *
 * A step throws when it could not do its work; the workflow then tries again in an hour.
 */
export interface FreshRunDeps {
  readonly registry: Pick<StoreRegistry, 'readStore'>;
  readonly feeds: Pick<FeedStore, 'readFeeds' | 'createFeed'>;
  readonly compactions: CompactionRequests;
  readonly ids: Ids;
  readonly scopes: ScopeSettings;
}

export async function freshRun(deps: FreshRunDeps, request: FreshRunRequest): Promise<FreshRunAnswer> {
  switch (request.step) {
    case 'prepare':
    case 'redrive':
      return prepare(deps, request);
    case 'check':
      return { outcome: decide(request) };
  }
}

/** Every feed of the store gets a snapshot to begin with. */
async function prepare(deps: FreshRunDeps, { storeId }: FreshRunRequest): Promise<FreshRunAnswer> {
  const store = await deps.registry.readStore(storeId);
  if (store === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const states = await readOrCreateFeeds(deps, allFeedsInScope(store, deps.scopes));
  const without = [...states.values()].filter((state) => !hasSnapshot(state)).map(({ head }) => head.feed);
  await deps.compactions.ring(without, 'snapshot');
  return { outcome: 'INCOMPLETE' };
}

/** A snapshot of an earlier generation is of another history. */
function hasSnapshot({ head, snapshot }: FeedState): boolean {
  return snapshot?.generation === head.generation;
}

/** Stands where the check of a run will stand; until then no run is complete by itself. */
function decide(_request: FreshRunRequest): FreshOutcome {
  return 'INCOMPLETE';
}
