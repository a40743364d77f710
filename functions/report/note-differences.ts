import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { RunStore } from '../../core/ports/run-store.ts';
import type { Replica } from '../../core/ports/store-registry.ts';
import type { ReportResponse } from '../../protocol/messages/report.ts';

/** Kept beside the store's runs: a rollout is judged by them. */
export async function noteDifferences(
  { runs, clock, ids }: { readonly runs: Pick<RunStore, 'noteDifference'>; readonly clock: Clock; readonly ids: Ids },
  { storeId, replicaId }: Pick<Replica, 'storeId' | 'replicaId'>,
  refused: ReportResponse['refused'],
): Promise<void> {
  const at = new Date(clock.now()).toISOString();
  for (const { feed, reason } of refused)
    if (reason === 'DIFFERENT') await runs.noteDifference(storeId, { differenceId: ids.next(), at, replicaId, feed });
}
