import type { Clock } from '../../core/ports/clock.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { limits } from '../../protocol/limits.ts';

/** Writes down that a replica was heard of, and by which agent; not at every call, because a delta with nothing in it costs no write. */
export async function noteContact(
  { registry, clock }: { readonly registry: Pick<StoreRegistry, 'noteContact'>; readonly clock: Clock },
  { replicaId, heardAt, agentVersion: known }: Replica,
  agentVersion: string,
): Promise<void> {
  const now = clock.now();
  if (heardAt !== undefined && now - Date.parse(heardAt) < limits.contactNoteMs && known === agentVersion) return;
  await registry.noteContact(replicaId, { heardAt: new Date(now).toISOString(), agentVersion });
}
