import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { Doorbell, UploadStore } from '../../core/ports/upload-store.ts';

/**
 * Rings for every replica whose operations are stored and not applied. A doorbell that was lost is heard again when its
 * replica comes by; one of a replica that never comes again would never be (INV-11). Returns how many were rung for.
 */
export interface RingWaitingDeps {
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly doorbell: Doorbell;
}

const PAGE = 100;

export async function ringWaiting({ uploads, registry, doorbell }: RingWaitingDeps): Promise<number> {
  let rung = 0;
  let after: string | null = null;
  do {
    const { stores, next }: Awaited<ReturnType<StoreRegistry['listStores']>> = await registry.listStores({ after, limit: PAGE });
    const replicas = stores.flatMap((store) => store.replicas).filter(({ status }) => status === 'ACTIVE');
    for (const { replicaId } of replicas) {
      const { stored, appliedThrough } = await uploads.readHead(replicaId);
      // Also where an object was lost: it may be there again, and nobody was told.
      if (appliedThrough >= stored.seq) continue;
      await doorbell.ring(replicaId);
      rung += 1;
    }
    after = next;
  } while (after !== null);
  return rung;
}
