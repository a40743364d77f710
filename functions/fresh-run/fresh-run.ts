import type { Ids } from '../../core/ports/clock.ts';
import type { CompactionRequests } from '../../core/ports/compaction-requests.ts';
import type { FeedState, FeedStore } from '../../core/ports/feed-store.ts';
import type { FreshRecord, RunStore } from '../../core/ports/run-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { Doorbell } from '../../core/ports/upload-store.ts';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { FreshCheck } from '../../core/runs/fresh-check.ts';
import type { FreshOutcome, FreshRunAnswer, FreshRunRequest } from '../../protocol/messages/fresh-run.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { readOrCreateFeeds } from '../read-or-create-feeds.ts';
import { type CheckDeps, checkFreshRun } from './check-fresh-run.ts';

/**
 * One step of the workflow `fresh-sync`. Every step may be repeated: what is counted and remembered stands in the run's own
 * record.
 *
 * A step throws when it could not do its work; the workflow then tries again in an hour.
 */
export interface FreshRunDeps extends CheckDeps {
  readonly registry: CheckDeps['registry'] & Pick<StoreRegistry, 'readStore'>;
  readonly feeds: CheckDeps['feeds'] & Pick<FeedStore, 'createFeed'>;
  readonly runs: CheckDeps['runs'] & Pick<RunStore, 'listFresh'>;
  readonly compactions: CompactionRequests;
  readonly doorbell: Doorbell;
  readonly ids: Ids;
  /** A run is late: for people. */
  readonly onLate: (record: FreshRecord, check: FreshCheck) => void;
}

export async function freshRun(deps: FreshRunDeps, request: FreshRunRequest): Promise<FreshRunAnswer> {
  switch (request.step) {
    case 'prepare':
      return prepare(deps, request);
    case 'check':
      return { outcome: await check(deps, request) };
    case 'redrive':
      await redrive(deps, request);
      return prepare(deps, request);
  }
}

async function check(deps: FreshRunDeps, request: FreshRunRequest): Promise<FreshOutcome> {
  const record = await recordOf(deps, request);
  if (record === null) return 'SUPERSEDED';
  if (record.cancelledAt !== null) return 'CANCELLED';
  if (record.completeAt !== null) return 'COMPLETE';
  const seen = await checkFreshRun(deps, record);
  if (seen === null) return 'SUPERSEDED';
  if (seen.isLate) deps.onLate(seen.record, seen);
  return seen.complete ? 'COMPLETE' : 'INCOMPLETE';
}

/** What head office itself can do about what is missing. The store hears of the rest at its next contact. */
async function redrive(deps: FreshRunDeps, request: FreshRunRequest): Promise<void> {
  const record = await recordOf(deps, request);
  const seen = record === null ? null : await checkFreshRun(deps, record);
  if (record !== null && seen?.redrive.some(({ what }) => what === 'RING_DOORBELL') === true) await deps.doorbell.ring(record.replicaId);
}

/** null: the store began another run in its place. */
async function recordOf({ runs }: FreshRunDeps, { storeId, runId }: FreshRunRequest): Promise<FreshRecord | null> {
  return (await runs.listFresh(storeId)).find((record) => record.runId === runId) ?? null;
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
