import { unpack } from '../../codec/pack.ts';
import { type Round, type TailPlan, nextRound } from '../../core/reconcile/next-round.ts';
import { type Outstanding, isCertified, outstandingFeeds } from '../../core/reconcile/readiness.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { type FeedName, splitFeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { PlanRequest, PlanResponse } from '../../protocol/messages/plan.ts';
import { readSections } from '../../protocol/sections.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import { type Page, applyPage } from '../replica/apply-page.ts';
import { ReplicaDamaged } from '../replica/sqlite-errors.ts';
import { bulkSync } from './bulk-sync.ts';
import { compareInPassing } from './compare-in-passing.ts';
import { requireFreshComplete } from './fresh-standing.ts';
import { reconcileFeed } from './reconcile-feed.ts';
import { report } from './report.ts';
import type { SyncDeps } from './sync-deps.ts';
import { type ReportedState, SyncSession } from './sync-session.ts';

/**
 * A sync run: ask, do, report, until nothing is left.
 *
 * Fresh and delta are the same loop; what differs is what head office answers. A feed without a certificate is asked
 * for with its newest snapshot, so that it gets one; with a certificate, for its pages. Ends when every enabled
 * component is certified and every feed is at its head; without `wait` also when something is left that only time
 * brings. May be stopped at any point and goes on from there.
 */
export interface SyncOutcome {
  readonly kind: 'fresh' | 'delta';
  readonly outstanding: readonly Outstanding[];
  /** Rows written or removed, by component; the others had none. */
  readonly changes: Changes;
}

export type Changes = ReadonlyMap<ComponentName, number>;

export function runFreshSync(deps: SyncDeps): Promise<SyncOutcome> {
  return runSync(deps, { wait: true });
}

export interface SyncOptions {
  /** Go on until nothing is left that only time brings. */
  readonly wait: boolean;
  /** Prove everything again against the newest snapshots, fetching only ranges that differ. */
  readonly fresh?: boolean;
  /** Refuse unless the fresh sync is complete. */
  readonly deltaOnly?: boolean;
}

export async function runSync(deps: SyncDeps, options: SyncOptions): Promise<SyncOutcome> {
  for (let rebuilt = false; ; rebuilt = true) {
    const session = new SyncSession(deps);
    try {
      if (options.deltaOnly === true) requireFreshComplete(session.replica);
      if (options.fresh === true) session.replica.dropCertificates();
      return await rounds(session, options);
    } catch (error) {
      if (!(error instanceof ReplicaDamaged) || rebuilt) throw error;
      session.moveAside(error);
    } finally {
      session.close();
    }
  }
}

/** While a replica is empty it waits this many polls for all snapshots, because one bulk load is fastest. */
const BULK_POLLS_MAX = 60;

async function rounds(session: SyncSession, { wait }: SyncOptions): Promise<SyncOutcome> {
  const { deps } = session;
  let kind: SyncOutcome['kind'] | null = null;
  const changes = new Map<ComponentName, number>();
  let polls = 0;
  let fruitless = 0;
  for (;;) {
    deps.signal.throwIfAborted();
    const plan = await askPlan(session);
    kind ??= outstandingFeeds(plan.components, session.replica.feeds()).length > 0 ? 'fresh' : 'delta';
    const round = nextRound(plan, { empty: session.replica.isEmpty(), feeds: session.replica.feeds().map(({ feed }) => feed) });
    const patient = wait && round.waiting.length > 0;
    if (patient && round.mode === 'bulk' && polls < BULK_POLLS_MAX && round.tails.length === 0) {
      polls += 1;
      await pause(session, round);
      continue;
    }
    const before = progressMark(session);
    await workOff(session, plan, { round, changes });
    const outstanding = outstandingFeeds(plan.components, session.replica.feeds());
    if (outstanding.length === 0 && !isBehind(session, plan)) return { kind, outstanding, changes };
    if (progressMark(session) !== before) fruitless = 0;
    else if (round.waiting.length > 0) {
      if (!wait) return { kind, outstanding, changes };
      await pause(session, round);
    } else if (++fruitless >= agentLimits.fruitlessRoundsMax) {
      throw new SyncError('NOT_COMPLETE', 'head office refuses what this replica shows, again and again; run `agent verify --repair`');
    }
  }
}

async function askPlan(session: SyncSession): Promise<PlanResponse> {
  const plan = await session.deps.cloud.plan({
    feeds: cursors(session),
    ...(session.deps.withUploads === true ? { withUploads: true } : {}),
  });
  session.replica.recordPlan(plan);
  session.deps.onPlan?.(plan);
  return plan;
}

function cursors({ replica }: SyncSession): PlanRequest['feeds'] {
  return replica.feeds().flatMap((standing) => {
    const { feed, cursor } = standing;
    return cursor === null ? [] : [{ feed, ...cursor, want: isCertified(standing) ? ('tail' as const) : ('snapshot' as const) }];
  });
}

interface Work {
  readonly round: Round;
  readonly changes: Map<ComponentName, number>;
}

async function workOff(session: SyncSession, plan: PlanResponse, { round, changes }: Work): Promise<void> {
  const count = (feed: FeedName, more: number) => {
    const { component } = splitFeedName(feed);
    if (more > 0) changes.set(component, (changes.get(component) ?? 0) + more);
  };
  for (const feed of round.leave) session.replica.leave(feed);
  for (const tail of round.tails) count(tail.feed, await applyTail(session, tail));
  try {
    const states: ReportedState[] = [];
    if (round.snapshots.length > 0 && round.mode === 'bulk') states.push(...(await bulkSync(session, plan, round.snapshots)));
    else for (const snapshot of round.snapshots) states.push(await reconcileFeed(session, snapshot, (more) => count(snapshot.feed, more)));
    if (round.mode === 'bulk') for (const state of states) count(state.feed, state.rows);
    await report(session, states, { loaded: round.mode === 'bulk' });
  } catch (error) {
    if (!isSyncError(error, 'SNAPSHOT_GONE')) throw error;
    session.deps.progress.note('a newer snapshot replaced the one being loaded; going on with that');
  }
}

/** Segments, then pages, each in a transaction of its own; a snapshot that is passed is compared with (INV-09). */
export async function applyTail(session: SyncSession, tail: TailPlan): Promise<number> {
  let changes = 0;
  for await (const run of tailRuns(session, tail)) {
    session.deps.signal.throwIfAborted();
    session.deps.progress.entered(splitFeedName(tail.feed).component, 'APPLY');
    const effect = applyPage(session.replica, run);
    changes += effect.written + effect.removed;
    if (run.position === tail.passes?.position) await compareInPassing(session, tail, tail.passes);
  }
  return changes;
}

async function* tailRuns({ deps }: SyncSession, { feed, generation, segments, pages, asOf }: TailPlan): AsyncGenerator<Page> {
  for (const { after, through, sha256, bytes, rawBytes, url } of segments) {
    const packed = await deps.download.get({ sha256, bytesMax: bytes, url: (renew) => segmentUrl(url, renew) });
    const text = await unpack(packed, { rawBytesMax: limits.chunkRawBytesMax, rawBytes });
    yield { feed, generation, after, position: through, sections: readSections(text), asOf };
    deps.download.forget(sha256);
  }
  for (const { position, body } of pages) {
    const text = await unpack(Buffer.from(body, 'base64'), { rawBytesMax: limits.pageRawBytesMax * 8 });
    yield { feed, generation, after: position - 1, position, sections: readSections(text), asOf };
  }
}

/** There is no new address for a segment but in a new plan: the next round asks for it. */
async function segmentUrl(url: string, renew: boolean): Promise<string> {
  if (renew) throw new SyncError('SNAPSHOT_GONE', 'the address of a segment has run out');
  return url;
}

function isBehind({ replica }: SyncSession, { feeds }: PlanResponse): boolean {
  const heads = new Map(feeds.map((plan) => [plan.feed, plan.action === 'leave' ? 0 : plan.head]));
  return replica.feeds().some(({ feed, cursor }) => (cursor?.position ?? 0) < (heads.get(feed) ?? 0));
}

/** Changes whenever a run got anywhere. */
function progressMark({ replica }: SyncSession): string {
  return JSON.stringify(replica.feeds().map(({ feed, cursor, certificate }) => [feed, cursor, certificate]));
}

async function pause({ deps }: SyncSession, round: Round): Promise<void> {
  const ms = round.retryAfterMs ?? 1_000;
  // Whoever waits for other stores is queued, and nothing is done for it yet.
  if (!round.queued) for (const feed of round.waiting) deps.progress.entered(splitFeedName(feed).component, 'SNAPSHOT');
  deps.progress.note(
    round.queued
      ? `other stores are being loaded; this one goes on in ${Math.ceil(ms / 1_000)} s`
      : `head office is preparing a snapshot of ${round.waiting.join(', ')}`,
  );
  await deps.sleep(ms, deps.signal);
}
