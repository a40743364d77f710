import type { Replica, StoreRegistry } from '../core/ports/store-registry.ts';

/**
 * Retires or revokes what is chosen of a store's replicas, and looks again until nothing is new: a copy may be let in at the same moment.
 * Nothing comes of a replica that is not active, so that ends (INV-25). Twice is once: what has ended already is named as well. null: there
 * is no such store.
 */
export async function endReplicas(
  registry: Pick<StoreRegistry, 'readListing'>,
  storeId: string,
  {
    choose,
    end,
  }: { readonly choose: (replicas: readonly Replica[]) => readonly Replica[]; readonly end: (replicaId: string) => Promise<void> },
): Promise<string[] | null> {
  const ended = new Set<string>();
  for (;;) {
    const listing = await registry.readListing(storeId);
    if (listing === null) return null;
    const left = choose(listing.replicas).filter(({ replicaId }) => !ended.has(replicaId));
    if (left.length === 0) return [...ended];
    for (const { replicaId } of left) {
      await end(replicaId);
      ended.add(replicaId);
    }
  }
}
