import { type StoreRegistry, isTrusted } from '../../core/ports/store-registry.ts';
import type { Doorbell, UploadStore } from '../../core/ports/upload-store.ts';
import { eachStore } from '../each-store.ts';

/**
 * Rings for every replica whose operations are stored and not applied. A doorbell that was lost is heard again when its
 * replica comes by; one of a replica that never comes again, as of a retired one, would never be (INV-11). Returns how many were rung for.
 */
export interface RingWaitingDeps {
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly doorbell: Doorbell;
}

export async function ringWaiting({ uploads, registry, doorbell }: RingWaitingDeps): Promise<number> {
  let rung = 0;
  for await (const { replicas } of eachStore(registry)) {
    for (const { replicaId } of replicas.filter(isTrusted)) {
      const { stored, appliedThrough } = await uploads.readHead(replicaId);
      // Also where an object was lost: it may be there again, and nobody was told.
      if (appliedThrough >= stored.seq) continue;
      await doorbell.ring(replicaId);
      rung += 1;
    }
  }
  return rung;
}
