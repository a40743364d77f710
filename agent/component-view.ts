import { isCertified } from '../core/reconcile/readiness.ts';
import { componentStatus, components } from '../protocol/catalogue/catalogue.ts';
import type { ComponentName } from '../protocol/catalogue/types.ts';
import type { FeedName } from '../protocol/feed.ts';
import type { Certificate } from '../protocol/messages/report.ts';
import type { FeedRow, LastRun, PlanNote } from './replica/replica.ts';

/**
 * What people see of a component: the status of the last run, and where it stands whatever run there was.
 * The words are those of the domain page, section 6.2. Nothing here is stored; it follows from cursors, certificates,
 * what head office last said, and how the last run ended.
 */
export type RunStatus = 'NOT_USED' | 'NOT_ENABLED' | 'QUEUED' | 'PAUSED' | 'COMPLETED' | 'COMPLETED_NO_CHANGES' | 'FAILED';
export type Standing = 'NEVER_SYNCED' | 'INITIALISING' | 'IN_SYNC' | 'BEHIND' | 'RESYNC_REQUIRED';

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
  readonly status: RunStatus;
  /** null: not for this store. */
  readonly state: Standing | null;
  readonly reason: string | null;
  readonly rows: number;
  /** Of the newest change in any of its feeds. */
  readonly asOf: string | null;
  /** null until every feed of the component has one. */
  readonly certificate: { readonly issuedAt: string; readonly rows: number; readonly feeds: readonly Certificate[] } | null;
  readonly feeds: readonly FeedView[];
}

export interface ViewInput {
  readonly note: PlanNote | null;
  readonly feeds: readonly FeedRow[];
  readonly certificates: readonly Certificate[];
  readonly lastRun: LastRun | null;
  /** Of the run that just ended; null: none, `COMPLETED` is all that is known. */
  readonly changes: ReadonlyMap<ComponentName, number> | null;
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

function idleView(component: ComponentName, status: 'NOT_USED' | 'NOT_ENABLED'): ComponentView {
  return { component, status, state: null, reason: null, rows: 0, asOf: null, certificate: null, feeds: [] };
}

function enabledView(
  component: ComponentName,
  rows: readonly FeedRow[],
  { certificates, lastRun, changes, note }: ViewInput,
): ComponentView {
  const certified = rows.length > 0 && rows.every((row) => isCertified(row));
  const own = rows.flatMap(({ feed }) => certificates.filter((certificate) => certificate.feed === feed));
  const state = standingOf(rows, note !== null);
  return {
    component,
    status: statusOf({
      certified,
      contacted: note !== null,
      failed: lastRun?.failure ?? null,
      changes: changes === null ? null : (changes.get(component) ?? 0),
    }),
    state,
    reason: certified ? null : (lastRun?.failure?.code ?? null),
    rows: rows.reduce((sum, row) => sum + row.rows, 0),
    asOf:
      rows
        .flatMap((row) => row.asOf ?? [])
        .sort()
        .at(-1) ?? null,
    certificate: certified
      ? {
          issuedAt:
            own
              .map((certificate) => certificate.issuedAt)
              .sort()
              .at(-1) ?? '',
          rows: own.reduce((sum, certificate) => sum + certificate.rows, 0),
          feeds: own,
        }
      : null,
    feeds: rows.map((row) => ({
      feed: row.feed,
      cursor: row.cursor,
      head: row.head,
      asOf: row.asOf,
      rows: row.rows,
      certificate: isCertified(row) ? (own.find((certificate) => certificate.feed === row.feed) ?? null) : null,
    })),
  };
}

function statusOf(run: { certified: boolean; contacted: boolean; failed: LastRun['failure']; changes: number | null }): RunStatus {
  if (run.certified) return run.changes === 0 ? 'COMPLETED_NO_CHANGES' : 'COMPLETED';
  if (run.failed !== null) return 'FAILED';
  return run.contacted ? 'PAUSED' : 'QUEUED';
}

function standingOf(rows: readonly FeedRow[], contacted: boolean): Standing {
  if (!contacted) return 'NEVER_SYNCED';
  if (rows.some((row) => row.resync)) return 'RESYNC_REQUIRED';
  if (rows.length === 0 || rows.some((row) => !isCertified(row))) return 'INITIALISING';
  return rows.some((row) => (row.cursor?.position ?? 0) < row.head) ? 'BEHIND' : 'IN_SYNC';
}
