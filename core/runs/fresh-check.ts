import type { FeedName } from '../../protocol/feed.ts';

/**
 * Whether a fresh run is complete (INV-45): uploads applied through what the agent declared, and for every feed in its scope a
 * certificate of this run or past the newest snapshot. It says exactly what is missing, what is done about it, and when
 * somebody has to look. What waits as an exception does not hold it: that is an issue, not a gap.
 */
export interface FreshFacts {
  /** Last number of the outbox when the run began. */
  readonly declaredThrough: number;
  readonly storedThrough: number;
  readonly appliedThrough: number;
  readonly feeds: readonly FreshFeed[];
  readonly startedAt: number;
  readonly lastHeardAt: number;
  readonly now: number;
}

export interface FreshFeed {
  readonly feed: FeedName;
  readonly generation: string;
  /** Of this generation; null: there is none. */
  readonly snapshotPosition: number | null;
  /** null: the replica has none. */
  readonly certificate: { readonly generation: string; readonly position: number; readonly issuedAt: number } | null;
}

export type Missing =
  | { readonly what: 'NOT_SENT'; readonly from: number; readonly through: number }
  | { readonly what: 'NOT_APPLIED'; readonly from: number; readonly through: number }
  | { readonly what: 'NO_SNAPSHOT'; readonly feed: FeedName }
  | { readonly what: 'NOT_CERTIFIED'; readonly feed: FeedName };

/** What head office does about it; what only the store can do it asks of the store at its next contact. */
export type Redrive =
  | { readonly what: 'RING_DOORBELL' }
  | { readonly what: 'COMPACT'; readonly feed: FeedName }
  | { readonly what: 'ASK_STORE'; readonly feeds: readonly FeedName[] };

export interface FreshCheck {
  readonly complete: boolean;
  readonly missing: readonly Missing[];
  readonly redrive: readonly Redrive[];
  /** Nobody heard of the store for so long that asking it is no use; null: it was heard of. */
  readonly silentForMs: number | null;
  /** The deadline has passed. */
  readonly isLate: boolean;
}

/** A store comes by every minute: after an hour without one its link or its machine is down. */
const SILENT_MS = 3_600_000;
/** A working day: what took longer than that does not get there by itself. */
export const FRESH_DEADLINE_MS = 24 * 3_600_000;

export function checkFresh(facts: FreshFacts): FreshCheck {
  const { declaredThrough, storedThrough, appliedThrough, feeds, now, lastHeardAt, startedAt } = facts;
  const missing: Missing[] = [];
  if (storedThrough < declaredThrough) missing.push({ what: 'NOT_SENT', from: storedThrough + 1, through: declaredThrough });
  const due = Math.min(storedThrough, declaredThrough);
  if (appliedThrough < due) missing.push({ what: 'NOT_APPLIED', from: appliedThrough + 1, through: due });
  for (const feed of feeds) {
    if (isProved(feed, startedAt)) continue;
    missing.push({ what: feed.snapshotPosition === null ? 'NO_SNAPSHOT' : 'NOT_CERTIFIED', feed: feed.feed });
  }
  const silentForMs = now - lastHeardAt > SILENT_MS ? now - lastHeardAt : null;
  return {
    complete: missing.length === 0,
    missing,
    redrive: redriveOf(missing),
    silentForMs,
    isLate: missing.length > 0 && now - startedAt > FRESH_DEADLINE_MS,
  };
}

function isProved({ generation, snapshotPosition, certificate }: FreshFeed, startedAt: number): boolean {
  if (certificate === null || certificate.generation !== generation) return false;
  return certificate.issuedAt >= startedAt || (snapshotPosition !== null && certificate.position >= snapshotPosition);
}

function redriveOf(missing: readonly Missing[]): Redrive[] {
  const redrive: Redrive[] = [];
  const ask: FeedName[] = [];
  for (const one of missing) {
    if (one.what === 'NOT_APPLIED') redrive.push({ what: 'RING_DOORBELL' });
    else if (one.what === 'NO_SNAPSHOT') redrive.push({ what: 'COMPACT', feed: one.feed });
    if (one.what === 'NOT_CERTIFIED') ask.push(one.feed);
  }
  const unsent = missing.some(({ what }) => what === 'NOT_SENT');
  if (ask.length > 0 || unsent) redrive.push({ what: 'ASK_STORE', feeds: ask });
  return redrive;
}

/** A sentence for each thing that is missing, for people. */
export function describeMissing(one: Missing): string {
  switch (one.what) {
    case 'NOT_SENT':
      return `operations ${one.from} to ${one.through} of the store were not sent yet`;
    case 'NOT_APPLIED':
      return `operations ${one.from} to ${one.through} of the store were not applied yet`;
    case 'NO_SNAPSHOT':
      return `${one.feed} has no snapshot yet`;
    case 'NOT_CERTIFIED':
      return `the store has not proved ${one.feed} yet`;
  }
}
