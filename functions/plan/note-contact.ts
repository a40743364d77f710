import type { Clock } from '../../core/ports/clock.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { limits } from '../../protocol/limits.ts';

/**
 * Writes down that a replica was heard of, by which agent, and how far its clock is off; not at every call, because a delta with
 * nothing in it costs no write. `everyMs`: how exact the time is.
 */
export async function noteContact(
  { registry, clock }: { readonly registry: Pick<StoreRegistry, 'noteContact'>; readonly clock: Clock },
  { replicaId, heardAt, agentVersion: known, skewMs: knownSkewMs }: Replica,
  {
    agentVersion,
    skewMs,
    everyMs = limits.contactNoteMs,
  }: { readonly agentVersion: string; readonly skewMs: number; readonly everyMs?: number },
): Promise<void> {
  const now = clock.now();
  const isRecent = heardAt !== undefined && now - Date.parse(heardAt) < everyMs;
  const hasMoved = Math.abs(skewMs - (knownSkewMs ?? 0)) >= limits.clockMovedMs;
  if (isRecent && known === agentVersion && !hasMoved) return;
  await registry.noteContact(replicaId, { heardAt: new Date(now).toISOString(), agentVersion, skewMs });
}
