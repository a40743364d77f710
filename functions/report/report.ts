import type { Clock } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { FreshSlots } from '../../core/ports/fresh-slots.ts';
import type { Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import { splitFeedName } from '../../protocol/feed.ts';
import type { Certificate, ReportRequest, ReportResponse } from '../../protocol/messages/report.ts';

/**
 * Compares what a replica has with what it should have, and certifies what is equal.
 *
 * Holds INV-09: a certificate is made here only, from head office's own root of the snapshot at exactly that cursor.
 */
export interface ReportDeps {
  readonly feeds: Pick<FeedStore, 'readSnapshot'>;
  readonly registry: Pick<StoreRegistry, 'putCertificates'>;
  readonly slots: Pick<FreshSlots, 'release'>;
  readonly clock: Clock;
  readonly scopes: ScopeSettings;
}

type Verdict = { readonly certificate: Certificate } | { readonly refused: ReportResponse['refused'][number] };

export async function report(deps: ReportDeps, who: { store: Store; replica: Replica }, request: ReportRequest): Promise<ReportResponse> {
  const issuedAt = new Date(deps.clock.now()).toISOString();
  const inScope = new Set(allFeedsInScope(who.store, deps.scopes));
  const verdicts = await Promise.all(
    request.feeds.map(async (shown): Promise<Verdict> => {
      const { feed } = shown;
      if (!inScope.has(feed)) return { refused: { feed, reason: 'OUT_OF_SCOPE' } };
      const snapshot = await deps.feeds.readSnapshot(feed, shown);
      if (snapshot === null) return { refused: { feed, reason: 'SNAPSHOT_GONE' } };
      if (snapshot.root !== shown.root || snapshot.rows !== shown.rows) return { refused: { feed, reason: 'DIFFERENT' } };
      const { component } = splitFeedName(feed);
      const { generation, position, rows, root: digest } = snapshot;
      const { storeId, replicaId } = who.replica;
      return { certificate: { storeId, replicaId, component, feed, generation, position, rows, digest, issuedAt } };
    }),
  );
  const certificates = verdicts.flatMap((verdict) => ('certificate' in verdict ? [verdict.certificate] : []));
  await deps.registry.putCertificates(certificates);
  if (request.loaded === true) await deps.slots.release(who.replica.storeId);
  return { serverTime: issuedAt, certificates, refused: verdicts.flatMap((verdict) => ('refused' in verdict ? [verdict.refused] : [])) };
}
