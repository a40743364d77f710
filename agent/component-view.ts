import { isCertified } from '../core/reconcile/readiness.ts';
import { type Freshness, type Standing, standingOf } from '../core/runs/standing.ts';
import { componentStatus, components } from '../protocol/catalogue/catalogue.ts';
import type { ComponentName } from '../protocol/catalogue/types.ts';
import type { FeedName } from '../protocol/feed.ts';
import type { Certificate } from '../protocol/messages/report.ts';
import type { ComponentRun, ComponentStatus, FailureReason, Run, StandingState } from '../protocol/runs.ts';
import type { FeedRow, PlanNote } from './replica/replica.ts';
import type { UpStanding } from './runs/store-facts.ts';

/**
 * What people see of a component: how it did in the last run, and where it stands whatever run there was. The words are those
 * of the domain page, section 6.2. Nothing here is stored; it follows from cursors, certificates, what head office last said,
 * the outbox and the run.
 */
export interface FeedView {
  readonly feed: FeedName;
  readonly cursor: { readonly generation: string; readonly position: number } | null;
  readonly head: number;
  readonly asOf: string | null;
  readonly rows: number;
  readonly certificate: Certificate | null;
}

export interface ComponentView {
  readonly component: ComponentName;
  /** Of the last run, down; null: the last run was not about it. */
  readonly status: ComponentStatus | null;
  readonly down: ComponentRun | null;
  readonly up: ComponentRun | null;
  /** null: not for this store. */
  readonly state: StandingState | null;
  readonly freshness: Freshness | null;
  /** Equal to head office by digest, at the time of its certificate. */
  readonly verified: boolean;
  readonly safeOffline: boolean;
  readonly reason: FailureReason | null;
  readonly rows: number;
  /** Of the newest change in any of its feeds. */
  readonly asOf: string | null;
  /** Operations recorded here without a receipt. */
  readonly pendingUp: number;
  readonly oldestPendingAt: string | null;
  /** Operations that wait for a person. */
  readonly issues: number;
  /** null until every feed of the component has one. */
  readonly certificate: { readonly issuedAt: string; readonly rows: number; readonly feeds: readonly Certificate[] } | null;
  readonly feeds: readonly FeedView[];
}

export interface ViewInput {
  readonly note: PlanNote | null;
  readonly feeds: readonly FeedRow[];
  readonly certificates: readonly Certificate[];
  readonly run: Run | null;
  readonly up: ReadonlyMap<ComponentName, UpStanding>;
  readonly now: number;
}

export function componentViews(input: ViewInput): ComponentView[] {
  return components.map((component) => {
    const planned = input.note?.components.find((entry) => entry.component === component.name);
    const inUse = planned?.status ?? (component.used ? 'ENABLED' : componentStatus(component, 'core'));
    const names = new Set(planned?.feeds ?? []);
    const rows = input.feeds.filter(({ feed }) => names.has(feed));
    return inUse === 'ENABLED' ? enabledView(component.name, rows, input) : idleView(component.name, inUse);
  });
}

/** Where the components of this store stand, by name. */
export function standings(views: readonly ComponentView[]): Map<ComponentName, Pick<Standing, 'safeOffline'>> {
  return new Map(views.map(({ component, safeOffline }) => [component, { safeOffline }]));
}

function idleView(component: ComponentName, status: 'NOT_USED' | 'NOT_ENABLED'): ComponentView {
  return {
    component,
    status,
    down: null,
    up: null,
    state: null,
    freshness: null,
    verified: false,
    safeOffline: false,
    reason: null,
    rows: 0,
    asOf: null,
    pendingUp: 0,
    oldestPendingAt: null,
    issues: 0,
    certificate: null,
    feeds: [],
  };
}

function enabledView(component: ComponentName, rows: readonly FeedRow[], input: ViewInput): ComponentView {
  const { certificates, note, now } = input;
  const isProved = rows.length > 0 && rows.every((row) => isCertified(row));
  const own = rows.flatMap(({ feed }) => certificates.filter((certificate) => certificate.feed === feed));
  const { waiting, open, oldestAt } = input.up.get(component) ?? { waiting: 0, open: 0, oldestAt: null };
  const down = ofRun(input.run, component, 'DOWN');
  return {
    component,
    status: input.run === null ? 'QUEUED' : (down?.status ?? null),
    down,
    up: ofRun(input.run, component, 'UP'),
    ...standingOf({
      component,
      wasAsked: note !== null,
      isProved,
      needsResync: rows.some(({ resync }) => resync),
      isBehind: rows.some((row) => (row.cursor?.position ?? 0) < row.head),
      issues: open,
      askedAt: note === null ? null : Date.parse(note.serverTime),
      now,
    }),
    reason: down?.reason ?? null,
    rows: rows.reduce((sum, row) => sum + row.rows, 0),
    asOf: newest(rows.flatMap((row) => row.asOf ?? [])),
    pendingUp: waiting,
    oldestPendingAt: oldestAt === null ? null : new Date(oldestAt).toISOString(),
    issues: open,
    certificate: isProved
      ? {
          issuedAt: newest(own.map((certificate) => certificate.issuedAt)) ?? '',
          rows: own.reduce((sum, certificate) => sum + certificate.rows, 0),
          feeds: own,
        }
      : null,
    feeds: rows.map((row) => feedView(row, own)),
  };
}

function ofRun(run: Run | null, component: ComponentName, direction: ComponentRun['direction']): ComponentRun | null {
  return run?.components.find((one) => one.component === component && one.direction === direction) ?? null;
}

function feedView(row: FeedRow, certificates: readonly Certificate[]): FeedView {
  const { feed, cursor, head, asOf, rows } = row;
  return {
    feed,
    cursor,
    head,
    asOf,
    rows,
    certificate: isCertified(row) ? (certificates.find((certificate) => certificate.feed === feed) ?? null) : null,
  };
}

function newest(times: readonly string[]): string | null {
  return times.toSorted().at(-1) ?? null;
}
