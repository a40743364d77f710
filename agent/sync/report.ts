import { splitFeedName } from '../../protocol/feed.ts';
import type { ReportedState, SyncSession } from './sync-session.ts';

/** Shows head office what the replica has. What it finds equal is certified; what differs loses its certificate. */
export async function report(
  { deps, replica }: SyncSession,
  states: readonly ReportedState[],
  { loaded = false }: { readonly loaded?: boolean } = {},
): Promise<void> {
  if (states.length === 0) return;
  for (const { feed } of states) deps.progress.entered(splitFeedName(feed).component, 'VERIFY');
  const { certificates, refused } = await deps.cloud.report({ feeds: [...states], ...(loaded ? { loaded } : {}) });
  replica.putCertificates(certificates);
  for (const { feed, reason } of refused) {
    if (reason === 'DIFFERENT') replica.transaction(() => replica.dropCertificate(feed));
    deps.progress.note(`${feed}: no certificate (${reason})`);
  }
}
