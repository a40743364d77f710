import type { Clock } from '../../core/ports/clock.ts';
import { lastHeardAt } from '../../core/ports/store-registry.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import { type HorizonUse, horizonUse } from '../../core/stores/horizon-use.ts';

/** Replicas that have used up half of the horizon or more, worst first. Revoked ones are not expected any more. */
export interface AwayReplica extends HorizonUse {
  readonly storeId: string;
  readonly replicaId: string;
  readonly lastHeardAt: string;
}

export async function awayReplicas(deps: {
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly clock: Clock;
}): Promise<AwayReplica[]> {
  const now = deps.clock.now();
  const replicas = (await deps.registry.listStores()).flatMap((store) => store.replicas);
  return replicas
    .filter(({ status }) => status === 'ACTIVE')
    .map((replica) => {
      const { storeId, replicaId } = replica;
      return { storeId, replicaId, lastHeardAt: lastHeardAt(replica), ...horizonUse(lastHeardAt(replica), now) };
    })
    .filter(({ level }) => level !== 'FINE')
    .toSorted((a, b) => b.percent - a.percent);
}
