import type { Replica, StoreRegistry } from '../core/ports/store-registry.ts';

/**
 * Revokes what is chosen of a store's replicas, and looks again until nothing is new: a copy may be let in at the same moment. Nothing comes
 * of a replica that is revoked, so that ends (INV-25). Twice is once: what is revoked already is named as well. null: there is no such store.
 */
export async function revokeReplicas(
  registry: Pick<StoreRegistry, 'readListing' | 'revokeReplica'>,
  storeId: string,
  choose: (replicas: readonly Replica[]) => readonly Replica[],
): Promise<string[] | null> {
  const revoked = new Set<string>();
  for (;;) {
    const listing = await registry.readListing(storeId);
    if (listing === null) return null;
    const left = choose(listing.replicas).filter(({ replicaId }) => !revoked.has(replicaId));
    if (left.length === 0) return [...revoked];
    for (const { replicaId } of left) {
      await registry.revokeReplica(replicaId);
      revoked.add(replicaId);
    }
  }
}
