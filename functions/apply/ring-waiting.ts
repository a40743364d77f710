import { type StoreRegistry, isTrusted } from '../../core/ports/store-registry.ts';
import type { Doorbell, UploadStore } from '../../core/ports/upload-store.ts';
import { eachStore } from '../each-store.ts';
import { inParts } from '../in-parts.ts';

/**
 * Rings for every replica whose operations are stored and not applied. A doorbell that was lost is heard again when its
 * replica comes by; one of a replica that never comes again, as of a retired one, would never be (INV-11). Returns how many were rung for.
 */
export interface RingWaitingDeps {
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly doorbell: Doorbell;
}

/** Heads read at once: the function works instead of waiting for each. */
const HEADS_AT_ONCE = 16;

export async function ringWaiting({ uploads, registry, doorbell }: RingWaitingDeps): Promise<number> {
  let rung = 0;
  for await (const some of inParts(replicas(registry), HEADS_AT_ONCE)) {
    const heads = await Promise.all(some.map((replicaId) => uploads.readHead(replicaId)));
    // Also where an object was lost: it may be there again, and nobody was told.
    const waiting = heads.filter(({ stored, appliedThrough }) => appliedThrough < stored.seq);
    await Promise.all(waiting.map(({ replicaId }) => doorbell.ring(replicaId)));
    rung += waiting.length;
  }
  return rung;
}

async function* replicas(registry: RingWaitingDeps['registry']): AsyncGenerator<string> {
  for await (const listing of eachStore(registry)) for (const { replicaId } of listing.replicas.filter(isTrusted)) yield replicaId;
}
