import type { Clock } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { FreshRecord, RunStore } from '../../core/ports/run-store.ts';
import { type StoreRegistry, lastHeardAt } from '../../core/ports/store-registry.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import { type FreshCheck, type FreshFeed, checkFresh, describeMissing } from '../../core/runs/fresh-check.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';

/**
 * Looks whether a replica's fresh run is complete, and writes down what it saw (INV-45). The workflow does so every hour, the
 * agent's own report at once; both may do so at the same time.
 */
export interface CheckDeps {
  readonly registry: Pick<StoreRegistry, 'readReplica' | 'readCertificates'>;
  readonly feeds: Pick<FeedStore, 'readFeeds'>;
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly runs: Pick<RunStore, 'changeFresh'>;
  readonly clock: Clock;
  readonly scopes: ScopeSettings;
}

/** null: the replica is revoked or gone, so nothing will come of its run. */
export async function checkFreshRun(deps: CheckDeps, record: FreshRecord): Promise<(FreshCheck & { readonly record: FreshRecord }) | null> {
  const { replicaId } = record;
  const who = await deps.registry.readReplica(replicaId);
  if (who === null || who.replica.status !== 'ACTIVE') return null;
  const names = allFeedsInScope(who.store, deps.scopes);
  const [states, certificates, head] = await Promise.all([
    deps.feeds.readFeeds(names),
    deps.registry.readCertificates(replicaId),
    deps.uploads.readHead(replicaId),
  ]);
  const feeds = names.map((feed): FreshFeed => {
    const state = states.get(feed);
    const generation = state?.head.generation ?? '';
    const snapshot = state?.snapshot?.generation === generation ? state.snapshot : null;
    const certificate = certificates.get(feed);
    return {
      feed,
      generation,
      snapshotPosition: snapshot?.position ?? null,
      certificate:
        certificate === undefined
          ? null
          : { generation: certificate.generation, position: certificate.position, issuedAt: Date.parse(certificate.issuedAt) },
    };
  });
  const now = deps.clock.now();
  const check = checkFresh({
    declaredThrough: record.declaredThrough,
    storedThrough: head.stored.seq,
    appliedThrough: head.appliedThrough,
    feeds,
    startedAt: Date.parse(record.startedAt),
    lastHeardAt: Date.parse(lastHeardAt(who.replica)),
    now,
  });
  const at = new Date(now).toISOString();
  const after = { ...record, checkedAt: at, missing: check.missing.map(describeMissing), completeAt: check.complete ? at : null };
  await deps.runs.changeFresh(after);
  return { ...check, record: after };
}
