import { type Replica, lastHeardAt } from '../ports/store-registry.ts';

/** A replica and every one that came from its disk, the first one first; none when it is not there. */
export function descendants(replicas: readonly Replica[], replicaId: string): Replica[] {
  const found = replicas.filter((replica) => replica.replicaId === replicaId);
  const ids = new Set([replicaId]);
  for (let grew = found.length > 0; grew;) {
    const more = replicas.filter(
      (replica) => replica.forkedFrom !== undefined && ids.has(replica.forkedFrom) && !ids.has(replica.replicaId),
    );
    for (const replica of more) ids.add(replica.replicaId);
    found.push(...more);
    grew = more.length > 0;
  }
  return found;
}

/** Those that somebody waits for: active, and no active one came of their disk that was heard of later and goes on in their place. */
export function expectedReplicas(replicas: readonly Replica[]): Replica[] {
  const active = replicas.filter(({ status }) => status === 'ACTIVE');
  const isFollowed = (replica: Replica) =>
    descendants(replicas, replica.replicaId).some((other) => active.includes(other) && lastHeardAt(other) > lastHeardAt(replica));
  return active.filter((replica) => !isFollowed(replica));
}
