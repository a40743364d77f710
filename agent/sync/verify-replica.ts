import type { SnapshotPlan } from '../../core/reconcile/next-round.ts';
import { type ManifestRange, type RangePlan, differs } from '../../core/reconcile/plan-ranges.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { type FeedName, splitFeedName } from '../../protocol/feed.ts';
import { type Manifest, manifestRanges } from '../../protocol/manifest.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type RangeChanges, compareRange } from '../replica/range-compare.ts';
import { compareWithManifest } from '../replica/bulk-load.ts';
import { contentDigest } from '../replica/content.ts';
import { chunkStream } from './chunk-stream.ts';
import { fetchManifest } from './fetch-manifest.ts';
import { ownRanges, replaceRanges } from './reconcile-feed.ts';
import { report } from './report.ts';
import { applyTail } from './run-sync.ts';
import type { SyncDeps } from './sync-deps.ts';
import { type ReportedState, SyncSession } from './sync-session.ts';

/**
 * Compares every range of a replica with head office's snapshot at exactly the replica's cursor, and repairs what
 * differs if asked to.
 *
 * Each feed is first brought to the position of a snapshot at or past its cursor, by its pages. Finds rows that are
 * missing, too many or of another `rev`; with `deep` also values that were changed in place. A feed that is right, or
 * right after the repair, gets a new certificate; one that differs loses its certificate, so the next logon mends it.
 */
export interface Difference {
  readonly component: ComponentName;
  readonly feed: FeedName;
  readonly collection: string;
  readonly from: string;
  readonly to: string | null;
  /** `rows`: other keys or revisions. `content`: the same revisions with other values. `stray`: not in the snapshot at all. */
  readonly kind: 'rows' | 'content' | 'stray';
  readonly rows: number;
  readonly rowsExpected: number;
}

export interface VerifyOutcome {
  readonly feeds: number;
  readonly ranges: number;
  readonly rows: number;
  readonly differences: readonly Difference[];
  readonly repaired: boolean;
}

export interface VerifyOptions {
  readonly deep: boolean;
  readonly repair: boolean;
  /** None: all. */
  readonly components?: readonly ComponentName[];
  /** Every range is taken as one that differs. */
  readonly resend?: boolean;
  /** Nothing is taken away from the replica, no certificate either, and what was fetched to compare stays for the repair. */
  readonly preview?: boolean;
  /** What each range that differs, or is repaired, has of rows that are not there, other, or too many. */
  readonly onRange?: (component: ComponentName, changes: RangeChanges, bytes: number) => void;
}

export async function verifyReplica(deps: SyncDeps, options: VerifyOptions): Promise<VerifyOutcome> {
  const session = new SyncSession(deps);
  try {
    const differences: Difference[] = [];
    const states: ReportedState[] = [];
    let feeds = 0;
    let ranges = 0;
    let rows = 0;
    for await (const snapshot of snapshotsAtCursor(session, options.components ?? [])) {
      deps.progress.note(`comparing ${snapshot.feed}`);
      const found = await verifyFeed(session, snapshot, options);
      differences.push(...found.differences);
      if (found.state !== null) states.push(found.state);
      feeds += 1;
      ranges += found.ranges;
      rows += found.rows;
    }
    if (options.preview !== true) await report(session, states);
    return { feeds, ranges, rows, differences, repaired: options.repair && differences.length > 0 };
  } finally {
    session.close();
  }
}

const POLLS_MAX = 300;

/** Every feed of the replica once, when its cursor stands at a snapshot. */
async function* snapshotsAtCursor(session: SyncSession, only: readonly ComponentName[]): AsyncGenerator<SnapshotPlan> {
  const { deps, replica } = session;
  const isWanted = (feed: FeedName) => only.length === 0 || only.includes(splitFeedName(feed).component);
  const pending = new Set(replica.feeds().flatMap(({ feed, cursor }) => (cursor === null || !isWanted(feed) ? [] : [feed])));
  if (pending.size === 0 && only.length > 0 && replica.feeds().some(({ cursor }) => cursor !== null)) return;
  if (pending.size === 0) throw new SyncError('NOT_COMPLETE', 'this replica was never synced; run `agent logon --wait` first');
  for (let polls = 0; pending.size > 0; polls += 1) {
    if (polls > POLLS_MAX)
      throw new SyncError('NOT_COMPLETE', `head office has no snapshot yet of ${[...pending].join(', ')}; try again later`);
    const cursors = [...pending].flatMap((feed) => ({ feed, ...cursorOf(session, feed), want: 'snapshot' as const }));
    const plan = await deps.cloud.plan({ feeds: cursors });
    let retryAfterMs = 0;
    for (const answer of plan.feeds.filter(({ feed }) => pending.has(feed))) {
      if (answer.action === 'wait') {
        retryAfterMs = Math.max(retryAfterMs, answer.retryAfterMs);
        continue;
      }
      if (answer.action === 'reconcile') {
        await readOnTo(session, answer);
        yield answer;
      }
      pending.delete(answer.feed);
    }
    if (retryAfterMs > 0) await deps.sleep(retryAfterMs, deps.signal);
  }
}

function cursorOf({ replica }: SyncSession, feed: FeedName): { generation: string; position: number } {
  const cursor = replica.cursor(feed);
  if (cursor === null) throw new SyncError('NOT_COMPLETE', `${feed} was never synced; run \`agent logon\` first`);
  return cursor;
}

/** Applies segments and pages up to the snapshot's position and not further. */
async function readOnTo(session: SyncSession, { feed, generation, snapshot }: SnapshotPlan): Promise<void> {
  for (let cursor = cursorOf(session, feed); cursor.position < snapshot.position; cursor = cursorOf(session, feed)) {
    const { feeds } = await session.deps.cloud.plan({ feeds: [{ feed, ...cursor, want: 'tail' }] });
    const tail = feeds.find((answer) => answer.feed === feed);
    const segments = tail?.action === 'tail' ? tail.segments.filter(({ through }) => through <= snapshot.position) : [];
    const pages = tail?.action === 'tail' ? tail.pages.filter((page) => page.position <= snapshot.position) : [];
    if (tail?.action !== 'tail' || tail.generation !== generation || segments.length + pages.length === 0) {
      throw new SyncError('NOT_COMPLETE', `${feed} is too far behind to be compared; run \`agent logon\` first`);
    }
    await applyTail(session, { ...tail, segments, pages, passes: null });
  }
}

async function verifyFeed(
  session: SyncSession,
  snapshot: SnapshotPlan,
  options: VerifyOptions,
): Promise<{ differences: Difference[]; state: ReportedState | null; ranges: number; rows: number }> {
  const { deps, replica } = session;
  const { feed } = snapshot;
  const manifest = await fetchManifest(deps, snapshot);
  const { repair, preview = false, onRange } = options;
  const found = await compare(session, manifest, options);
  const { differences, plan } = found;
  const { component } = splitFeedName(feed);
  const tell = (changes: RangeChanges, bytes: number) => onRange?.(component, changes, bytes);
  for (const collection of plan.clear) tell({ add: 0, change: 0, remove: replica.countRows(collection) }, 0);
  if (differences.length > 0 && repair)
    await replaceRanges(session, { manifest, ranges: plan, onChanges: () => {}, ...(onRange === undefined ? {} : { onRange: tell }) });
  if (preview) await lookInto(session, { manifest, plan, tell, isWhole: options.resend === true });
  let state: ReportedState | null = null;
  if (preview) {
    // Nothing is shown to head office that was only looked at.
  } else if (differences.length > 0 && !repair) {
    replica.transaction(() => replica.dropCertificate(feed));
  } else {
    const own = compareWithManifest(replica, manifest);
    replica.transaction(() => replica.setCursor(feed, manifest, { rows: own.rows, asOf: snapshot.asOf }));
    state = { feed, generation: manifest.generation, position: manifest.position, ...own };
  }
  if (!preview) for (const { chunk } of plan.replace) deps.download.forget(chunk.sha256);
  deps.download.forget(snapshot.snapshot.manifestSha256);
  return { differences, state, ranges: manifestRanges(manifest).length, rows: manifest.rows };
}

interface Look {
  readonly manifest: Manifest;
  readonly plan: RangePlan;
  readonly tell: (changes: RangeChanges, bytes: number) => void;
  /** Everything is sent again: nobody has to fetch it to know. */
  readonly isWhole: boolean;
}

async function lookInto(session: SyncSession, { manifest, plan, tell, isWhole }: Look): Promise<void> {
  if (isWhole) {
    for (const { chunk } of plan.replace) tell({ add: 0, change: chunk.rows, remove: 0 }, chunk.bytes);
    return;
  }
  const work = plan.replace.map((range) => ({ feed: manifest.feed, range }));
  for await (const { content } of chunkStream(session.deps, work)) tell(compareRange(session.replica, content), content.range.chunk.bytes);
}

async function compare(
  session: SyncSession,
  manifest: Manifest,
  { deep, resend = false }: VerifyOptions,
): Promise<{ differences: Difference[]; plan: RangePlan }> {
  const { replica } = session;
  const { feed } = manifest;
  const { component } = splitFeedName(feed);
  const own = await ownRanges(session, manifest);
  const replace: ManifestRange[] = [];
  const differences: Difference[] = [];
  for (const [index, range] of manifestRanges(manifest).entries()) {
    const mine = own[index];
    const kind =
      resend || differs(range.chunk, mine) ? 'rows' : deep && contentDigest(replica.db, range) !== range.chunk.content ? 'content' : null;
    if (deep) await new Promise((resolve) => setImmediate(resolve));
    if (kind === null) continue;
    const { collection, from, to, chunk } = range;
    replace.push(range);
    differences.push({ component, feed, collection, from, to, kind, rows: mine?.rows ?? 0, rowsExpected: chunk.rows });
  }
  const named = new Set(manifest.collections.map((part) => part.collection));
  const clear = replica.heldCollections(feed).filter((name) => !named.has(name) && replica.countRows(name) > 0);
  for (const collection of clear)
    differences.push({
      component,
      feed,
      collection,
      from: '',
      to: null,
      kind: 'stray',
      rows: replica.countRows(collection),
      rowsExpected: 0,
    });
  return { differences, plan: { replace, clear, kept: own.length - replace.length } };
}
