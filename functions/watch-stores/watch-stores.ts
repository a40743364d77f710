import type { Clock } from '../../core/ports/clock.ts';
import { lastHeardAt } from '../../core/ports/store-registry.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
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
  return (await allReplicas(deps.registry))
    .filter(({ status }) => status === 'ACTIVE')
    .map((replica) => {
      const { storeId, replicaId } = replica;
      return { storeId, replicaId, lastHeardAt: lastHeardAt(replica), ...horizonUse(lastHeardAt(replica), now) };
    })
    .filter(({ level }) => level !== 'FINE')
    .toSorted((a, b) => b.percent - a.percent);
}

const PAGE = 100;

async function allReplicas(registry: Pick<StoreRegistry, 'listStores'>): Promise<Replica[]> {
  const replicas: Replica[] = [];
  let after: string | null = null;
  do {
    const { stores, next }: Awaited<ReturnType<StoreRegistry['listStores']>> = await registry.listStores({ after, limit: PAGE });
    replicas.push(...stores.flatMap((store) => store.replicas));
    after = next;
  } while (after !== null);
  return replicas;
}
