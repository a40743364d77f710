import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { CompactionRequests } from '../../core/ports/compaction-requests.ts';
import type { FeedState, FeedStore, SnapshotPointer } from '../../core/ports/feed-store.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { Store } from '../../core/ports/store-registry.ts';
import { type FeedDecision, decideFeed, isBehind } from '../../core/plan/decide-feed.ts';
import { allFeedsInScope, feedsInScope } from '../../core/plan/feeds-in-scope.ts';
import { chunkKey, manifestKey, segmentKey } from '../../core/snapshot/object-keys.ts';
import { must } from '../../protocol/assert.ts';
import { componentStatus, components } from '../../protocol/catalogue/catalogue.ts';
import { type ScopeSettings, changedKinds } from '../../protocol/catalogue/scopes.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { FeedPlan, PlanRequest, PlanResponse } from '../../protocol/messages/plan.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { readOrCreateFeeds } from '../read-or-create-feeds.ts';

/**
 * One call per round: cursors in, work out.
 *
 * Two reads of DynamoDB when nothing changed (the replica's rows, by the door; heads and snapshots of its feeds). For a
 * feed that the replica is behind of, its segment index, and the few pages that are not sealed yet. Feeds that do not exist yet are made here, so that a store can be
 * complete before anything was ever written to a component.
 */
export interface PlanDeps {
  readonly feeds: FeedStore;
  readonly objects: Pick<ObjectStore, 'presignGet'>;
  readonly compactions: CompactionRequests;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly withheld: readonly string[];
  readonly scopes: ScopeSettings;
}

/** A new snapshot of a small feed takes about this long. */
const SNAPSHOT_RETRY_MS = 1_000;

/** Without the settings of the store, which are somebody else's to know. */
export type Planned = Omit<PlanResponse, keyof StoreSettings>;

export async function plan(deps: PlanDeps, store: Store, request: PlanRequest): Promise<Planned> {
  const inScope = allFeedsInScope(store, deps.scopes);
  const states = await readOrCreateFeeds(deps, inScope);
  const cursors = new Map(request.feeds.map((cursor) => [cursor.feed, cursor]));
  const horizonAt = deps.clock.now() - limits.horizonMs;
  const decisions = await Promise.all(
    inScope.map(async (feed) => {
      const cursor = cursors.get(feed) ?? null;
      const state = must(states.get(feed), `${feed} was just read`);
      const want = cursor?.want ?? 'tail';
      const index = want === 'tail' && isBehind(state, cursor) ? await deps.feeds.readSegments(state.head) : null;
      const { snapshotPagesBehindMax } = limits;
      return { state, ...decideFeed({ state, index, cursor, want, snapshotPagesBehindMax, horizonAt }) };
    }),
  );
  const [feeds, chunkUrls] = await Promise.all([
    feedPlans(deps, decisions),
    urlsFor(deps, inScope, request),
    deps.compactions.ring(
      decisions.flatMap(({ ring, state }) => (ring ? [state.head.feed] : [])),
      'snapshot',
    ),
  ]);
  const leave = request.feeds.filter(({ feed }) => !inScope.includes(feed)).map(({ feed }): FeedPlan => ({ feed, action: 'leave' }));
  return {
    protocol: request.protocol,
    serverTime: new Date(deps.clock.now()).toISOString(),
    store: {
      storeId: store.storeId,
      name: store.name,
      edition: store.edition,
      zone: store.zone,
      timeZone: store.timeZone,
      currency: store.currency,
    },
    components: components.map((component) => ({
      component: component.name,
      status: componentStatus(component, store.edition),
      feeds: feedsInScope(component, store, deps.scopes),
    })),
    scopes: changedKinds(deps.scopes),
    withheld: [...deps.withheld],
    feeds: [...feeds, ...leave],
    chunkUrls,
  };
}

/** In order, because the pages of all feeds share one answer's size. */
async function feedPlans(deps: PlanDeps, decisions: readonly (FeedDecision & { state: FeedState })[]): Promise<FeedPlan[]> {
  const plans: FeedPlan[] = [];
  let budget: number = limits.planPagesBytesMax;
  for (const decision of decisions) {
    const feedPlan = await planOne(deps, decision, budget);
    if (feedPlan.action === 'tail') for (const page of feedPlan.pages) budget -= page.body.length;
    plans.push(feedPlan);
  }
  return plans;
}

async function planOne(deps: PlanDeps, decision: FeedDecision & { state: FeedState }, budget: number): Promise<FeedPlan> {
  const { feed, generation, position: head, asOf } = decision.state.head;
  switch (decision.action) {
    case 'wait':
      return { feed, action: 'wait', generation, head, retryAfterMs: SNAPSHOT_RETRY_MS, reason: 'NO_SNAPSHOT' };
    case 'reconcile':
      return { feed, action: 'reconcile', generation, head, asOf, snapshot: await snapshotPlan(deps, decision.snapshot) };
    case 'tail':
      return planTail(deps, decision, budget);
  }
}

async function planTail(
  deps: PlanDeps,
  decision: Extract<FeedDecision, { action: 'tail' }> & { state: FeedState },
  budget: number,
): Promise<FeedPlan> {
  const { feed, generation, position: head, asOf } = decision.state.head;
  const { segments, pagesAfter, passes } = decision;
  const some = segments.slice(0, limits.planSegmentsMax);
  // Base64 is four thirds of the bytes. Without budget the feed waits for the next call.
  const bytesMax = some.length < segments.length ? 0 : Math.floor((budget * 3) / 4);
  const pages = pagesAfter === head || bytesMax <= 0 ? [] : await deps.feeds.readPages(feed, pagesAfter, bytesMax);
  const last = pages.at(-1)?.position ?? some.at(-1)?.through ?? decision.after;
  return {
    feed,
    action: 'tail',
    generation,
    head,
    asOf,
    segments: await Promise.all(
      some.map(async ({ after, through, sha256, bytes, rawBytes, asOf: segmentAsOf }) => {
        const url = await deps.objects.presignGet(segmentKey(feed, sha256), limits.presignedUrlSeconds);
        return { after, through, sha256, bytes, rawBytes, asOf: segmentAsOf, url };
      }),
    ),
    pages: pages.map((page) => ({ position: page.position, body: Buffer.from(page.body).toString('base64') })),
    passes: passes !== null && passes.position <= last ? await snapshotPlan(deps, passes) : null,
    more: last < head,
  };
}

async function snapshotPlan({ objects }: PlanDeps, { feed, position, root, rows, bytes, manifestSha256 }: SnapshotPointer) {
  const manifestUrl = await objects.presignGet(manifestKey(feed, manifestSha256), limits.presignedUrlSeconds);
  return { position, root, rows, bytes, manifestSha256, manifestUrl };
}

async function urlsFor(deps: PlanDeps, inScope: readonly FeedName[], { chunks }: PlanRequest): Promise<{ sha256: string; url: string }[]> {
  if (chunks === undefined) return [];
  if (!inScope.includes(chunks.feed)) throw new SyncError('OUT_OF_SCOPE', `${chunks.feed} is not in this store's scope`);
  return Promise.all(
    chunks.sha256.map(async (sha256) => ({
      sha256,
      url: await deps.objects.presignGet(chunkKey(chunks.feed, sha256), limits.presignedUrlSeconds),
    })),
  );
}
