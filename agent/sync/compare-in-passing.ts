import type { TailPlan } from '../../core/reconcile/next-round.ts';
import { splitFeedName } from '../../protocol/feed.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import { ownState } from '../replica/bulk-load.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { ownRanges } from './reconcile-feed.ts';
import { report } from './report.ts';
import type { SyncSession } from './sync-session.ts';

/**
 * Verification that never stops: a replica whose cursor stands at a snapshot's position compares every range with it and
 * shows head office the result (INV-09). Equal: a new certificate. Different: the certificate goes, head office knows, and
 * the next round mends the ranges that differ. A comparison that cannot be made now is left to the next snapshot.
 */
const LEFT_FOR_LATER = ['CONNECTIVITY', 'UNAVAILABLE', 'SNAPSHOT_GONE'] as const;

export async function compareInPassing(
  session: SyncSession,
  { feed, generation, head, asOf }: TailPlan,
  snapshot: NonNullable<TailPlan['passes']>,
): Promise<void> {
  const { deps, replica } = session;
  try {
    const manifest = await fetchManifest(deps, { feed, action: 'reconcile', generation, head, asOf, snapshot });
    const own = ownState(replica, manifest, await ownRanges(session, manifest));
    deps.download.forget(snapshot.manifestSha256);
    if (own.differs) deps.progress.note(`${splitFeedName(feed).component} differs from head office's snapshot; it is mended now`);
    await report(session, [{ feed, generation, position: snapshot.position, root: own.root, rows: own.rows }]);
  } catch (error) {
    if (!LEFT_FOR_LATER.some((code) => isSyncError(error, code))) throw error;
    deps.progress.note(`${splitFeedName(feed).component} was not compared this time: ${(error as Error).message}`);
  }
}
