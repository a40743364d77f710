import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { type Run, isOver } from '../../protocol/runs.ts';

/** A canary store ended its first sync well since it was told of other settings: that is written down, once. */
export async function noteSynced(
  { registry }: { readonly registry: Pick<StoreRegistry, 'noteSynced'> },
  { replica: { replicaId, told }, skewMs }: { readonly replica: Replica; readonly skewMs: number },
  run: Run | null,
): Promise<void> {
  if (run === null || told === undefined || told.syncedAt !== null || !isOver(run) || !run.state.startsWith('COMPLETED')) return;
  // By head office's clock: an earlier run may be heard of late.
  const endedAt = Date.parse(run.finishedAt ?? run.updatedAt) - skewMs;
  if (endedAt < Date.parse(told.at)) return;
  await registry.noteSynced(replicaId, { revision: told.revision, at: new Date(endedAt).toISOString() });
}
