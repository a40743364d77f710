import pLimit from 'p-limit';
import type { RunStore } from '../core/ports/run-store.ts';
import type { StoreRegistry } from '../core/ports/store-registry.ts';
import { type Observation, observeStore, windowsOf } from '../core/rollout/observe-store.ts';
import type { Time } from '../core/rollout/decide-rollout.ts';
import type { Rollout, Trial } from '../protocol/rollout.ts';

/** What its canary stores say about a candidate: nothing of any other store is read. */
export interface ObserveDeps {
  readonly registry: Pick<StoreRegistry, 'readListing'>;
  readonly runs: Pick<RunStore, 'readRunsSince' | 'readDifferences'>;
}

const STORES_AT_ONCE = 8;

/** None where nothing is on trial. */
export async function observeCanary(deps: ObserveDeps, rollout: Rollout | null, time: Time): Promise<Observation[]> {
  if (rollout === null || rollout.state === 'EVERYWHERE') return [];
  const limit = pLimit(STORES_AT_ONCE);
  return Promise.all(rollout.canary.stores.map((storeId) => limit(() => observe(deps, { storeId, trial: rollout }, time))));
}

async function observe(
  { registry, runs }: ObserveDeps,
  { storeId, trial }: { storeId: string; trial: Trial },
  time: Time,
): Promise<Observation> {
  const since = windowsOf(trial, time).before.from;
  const replicas = ((await registry.readListing(storeId))?.replicas ?? []).filter(({ status }) => status === 'ACTIVE');
  // Runs are named by the store's clock.
  const behind = Math.min(0, ...replicas.map(({ skewMs = 0 }) => skewMs));
  const [reported, differences] = await Promise.all([runs.readRunsSince(storeId, since + behind), runs.readDifferences(storeId, since)]);
  return observeStore({ storeId, replicas, runs: reported, differences: differences.map(({ at }) => Date.parse(at)) }, trial, time);
}
