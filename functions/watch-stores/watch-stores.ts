import type { Clock } from '../../core/ports/clock.ts';
import { lastHeardAt } from '../../core/ports/store-registry.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { type Expected, expectedContact } from '../../core/runs/expected.ts';
import { type HorizonUse, horizonUse } from '../../core/stores/horizon-use.ts';
import { expectedReplicas } from '../../core/stores/descendants.ts';
import { eachStore } from '../each-store.ts';

/**
 * Replicas that were not heard of when they were expected, or have used up half of the horizon, worst first. Nobody has to log
 * on for that: a store that is silent is found here. One whose disk goes on as another is not expected any more.
 */
export interface AwayReplica extends HorizonUse, Expected {
  readonly storeId: string;
  readonly replicaId: string;
  readonly lastHeardAt: string;
}

export async function awayReplicas(deps: {
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly clock: Clock;
  /** Of the organization. */
  readonly expectedEveryHours: number;
}): Promise<AwayReplica[]> {
  const now = deps.clock.now();
  return (await allExpected(deps.registry))
    .map((replica) => {
      const { storeId, replicaId } = replica;
      const heard = lastHeardAt(replica);
      const expected = expectedContact({ lastHeardAt: heard, everyHours: deps.expectedEveryHours, now });
      return { storeId, replicaId, lastHeardAt: heard, ...expected, ...horizonUse(heard, now) };
    })
    .filter(({ level, isOverdue }) => level !== 'FINE' || isOverdue)
    .toSorted((a, b) => b.percent - a.percent);
}

async function allExpected(registry: Pick<StoreRegistry, 'listStores'>): Promise<Replica[]> {
  const all: Replica[] = [];
  for await (const { replicas } of eachStore(registry)) all.push(...expectedReplicas(replicas));
  return all;
}
