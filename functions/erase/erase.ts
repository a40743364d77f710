import { sha256Hex } from '../../codec/pack.ts';
import { erasureOrder } from '../../core/erasure/erase-record.ts';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { Ids } from '../../core/ports/clock.ts';
import type { Erasure, ErasureStore } from '../../core/ports/erasure-store.ts';
import type { Quarantine, QuarantineEntry } from '../../core/ports/quarantine.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { StoreListing, StoreRegistry } from '../../core/ports/store-registry.ts';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { EraseRequest } from '../../protocol/messages/erase.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { CompactDeps } from '../compact/compact.ts';
import { eachStore } from '../each-store.ts';
import { type EraseRecordsDeps, eraseRecords } from './erase-records.ts';
import { type EraseUploadsDeps, eraseUploads, parentsThatWait } from './erase-uploads.ts';
import { forgetFeed } from './forget-feed.ts';
import { type SweepDeps, sweep } from './sweep.ts';

/**
 * The erasure of one customer, in steps that may be repeated: main data, the quarantine, uploads, then every feed that held
 * something of theirs forgets its history. Two days later a scheduled turn takes the tombstones too, whose keys can say
 * who it was. A store has done it when its certificate is past the point at which the feed forgot.
 */
export interface EraseDeps extends CompactDeps, EraseRecordsDeps, SweepDeps {
  readonly feeds: CompactDeps['feeds'] & SweepDeps['feeds'];
  readonly objects: CompactDeps['objects'] & SweepDeps['objects'];
  readonly records: EraseRecordsDeps['records'] & Pick<RecordStore, 'getMany' | 'purge'>;
  readonly erasures: ErasureStore;
  readonly quarantine: Pick<Quarantine, 'list' | 'remove'>;
  readonly uploads: EraseUploadsDeps['uploads'] & Pick<UploadStore, 'forgetLost'>;
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly ids: Ids;
  readonly scopes: ScopeSettings;
}

type Step<Op extends EraseRequest['op']> = Extract<EraseRequest, { op: Op }>;

export async function eraseStep(deps: EraseDeps, request: EraseRequest): Promise<object> {
  switch (request.op) {
    case 'begin':
      return {
        ...told(await begin(deps, request)),
        collections: erasureOrder(collections.map(({ name }) => name)),
        parents: await parentsThatWait(deps, request.userId),
      };
    case 'records':
      return erasePart(deps, request);
    case 'quarantine':
      return { removed: await eraseWaiting(deps, request.userId) };
    case 'forget':
      return forget(deps, request);
    case 'finish':
      return told(await finish(deps, request.userId));
    case 'status':
      return status(deps, await existing(deps, request.userId));
    case 'sweep':
      return purgeAndSweep(deps);
  }
}

function begin({ erasures, ids, clock }: EraseDeps, { userId, reason, by }: Step<'begin'>): Promise<Erasure> {
  const erasureId = ids.next();
  return erasures.begin({
    erasureId,
    digest: sha256Hex(userId),
    pseudonym: `erased-${erasureId}`,
    requestedAt: new Date(clock.now()).toISOString(),
    by,
    reason,
    feeds: [],
    tombstones: [],
    forgottenAt: null,
    purgedAt: null,
    version: 1,
  });
}

async function erasePart(deps: EraseDeps, { userId, collection, bucket, after, parents }: Step<'records'>): Promise<object> {
  const { pseudonym, tombstones } = await existing(deps, userId);
  const part = { collection, bucket, after, limit: limits.rebuildRecords };
  const noted = new Set(tombstones.map((one) => `${one.collection}/${one.key}`));
  const person = { userId, pseudonym, parents: new Set(parents), noted };
  // Noted before it is done: after a crash the records would say nothing of where they had been.
  const dry = await eraseRecords({ ...deps, records: readOnly(deps.records) }, part, person);
  if (dry.feeds.length > 0 || dry.tombstones.length > 0) await change(deps, userId, (before) => withFound(before, dry));
  for (const record of dry.touched) await deps.uploads.forgetLost(record);
  const { looked, deleted, stripped, parents: found, next } = await eraseRecords(deps, part, person);
  return { looked, deleted, stripped, parents: found, next };
}

function readOnly(records: EraseDeps['records']): EraseRecordsDeps['records'] {
  return {
    readBucket: (part) => records.readBucket(part),
    writeMany: (writes) => Promise.resolve(writes.map(() => 'written' as const)),
  };
}

function withFound(
  before: Erasure,
  found: { feeds: readonly FeedName[]; tombstones: readonly { collection: string; key: string }[] },
): Erasure {
  const others = before.feeds.filter(({ feed }) => !found.feeds.includes(feed));
  const known = new Set(before.tombstones.map(({ collection, key }) => `${collection}/${key}`));
  return {
    ...before,
    // One that forgot already has something to forget again.
    feeds: [...others, ...found.feeds.map((feed) => ({ feed, generation: null, position: null }))],
    tombstones: [...before.tombstones, ...found.tombstones.filter(({ collection, key }) => !known.has(`${collection}/${key}`))],
    forgottenAt: null,
    purgedAt: null,
  };
}

async function eraseQuarantine({ quarantine }: EraseDeps, userId: string): Promise<number> {
  let after: string | null = null;
  let removed = 0;
  do {
    const part: Awaited<ReturnType<Quarantine['list']>> = await quarantine.list({ after, limit: limits.listMax });
    const theirs = part.entries.filter((entry) => mentions(entry, userId)).map(({ id }) => id);
    await quarantine.remove(theirs);
    removed += theirs.length;
    after = part.next;
  } while (after !== null);
  return removed;
}

/** What waits for somebody: changes that could not be processed, and what stores have sent. */
async function eraseWaiting(deps: EraseDeps, userId: string): Promise<number> {
  const { by } = await existing(deps, userId);
  return (await eraseQuarantine(deps, userId)) + (await eraseUploads(deps, { userId, by }));
}

/** As a value of its own, not as a part of another. */
function mentions({ item }: QuarantineEntry, userId: string): boolean {
  return JSON.stringify(item).includes(JSON.stringify(userId));
}

async function forget(deps: EraseDeps, { userId, feed }: Step<'forget'>): Promise<object> {
  const erasure = await existing(deps, userId);
  const known = erasure.feeds.find((one) => one.feed === feed);
  if (known === undefined) throw new SyncError('INVALID_INPUT', `nothing of this customer was in ${feed}`);
  if (known.position !== null) return { position: known.position };
  const cursor = await forgetFeed(deps, known.feed, { purge: null });
  const place = { feed: known.feed, generation: cursor?.generation ?? '', position: cursor?.position ?? 0 };
  await change(deps, userId, (before) => ({ ...before, feeds: before.feeds.map((one) => (one.feed === feed ? place : one)) }));
  return { position: place.position };
}

async function finish(deps: EraseDeps, userId: string): Promise<Erasure> {
  return change(deps, userId, (before) => {
    const left = before.feeds.find(({ position }) => position === null);
    if (left !== undefined) throw new SyncError('CONFLICT', `${left.feed} has not forgotten yet; run the command again`);
    return before.forgottenAt === null ? { ...before, forgottenAt: new Date(deps.clock.now()).toISOString() } : before;
  });
}

async function existing({ erasures }: EraseDeps, userId: string): Promise<Erasure> {
  const erasure = await erasures.read(sha256Hex(userId));
  if (erasure === null) throw new SyncError('NOT_FOUND', 'nobody asked for an erasure of this customer');
  return erasure;
}

async function change(deps: EraseDeps, userId: string, to: (before: Erasure) => Erasure): Promise<Erasure> {
  for (;;) {
    const before = await existing(deps, userId);
    const after = to(before);
    if (after === before || (await deps.erasures.replace(before, after)) === 'replaced') return after;
  }
}

function told(erasure: Erasure): object {
  const { erasureId, pseudonym, requestedAt, by, reason, feeds, forgottenAt, purgedAt } = erasure;
  const later = (ms: number) => (forgottenAt === null ? null : new Date(Date.parse(forgottenAt) + ms).toISOString());
  return {
    erasureId,
    pseudonym,
    requestedAt,
    by,
    reason,
    feeds: feeds.map(({ feed, position }) => ({ feed, position })),
    forgottenAt,
    // Superseded for a life, and swept within a day of that.
    objectsGoneBy: later(limits.snapshotLifeMs + 86_400_000),
    purgeDueAt: purgedAt === null ? later(limits.erasurePurgeMs) : null,
    purgedAt,
  };
}

async function status(deps: EraseDeps, erasure: Erasure): Promise<object> {
  const done: string[] = [];
  const pending: { storeId: string; replicaId: string; feeds: FeedName[] }[] = [];
  for await (const listing of eachStore(deps.registry)) {
    for (const { replicaId, status: state } of listing.replicas) {
      if (state !== 'ACTIVE') continue;
      const feeds = feedsPending(erasure, listing, { replicaId, scopes: deps.scopes });
      if (feeds.length === 0) done.push(replicaId);
      else pending.push({ storeId: listing.store.storeId, replicaId, feeds });
    }
  }
  return { erasure: told(erasure), done, pending };
}

/** Feeds of the erasure that the replica holds and has no certificate of at or past it. */
function feedsPending(
  erasure: Erasure,
  { store, certificates }: StoreListing,
  { replicaId, scopes }: { replicaId: string; scopes: ScopeSettings },
): FeedName[] {
  const own = new Set(allFeedsInScope(store, scopes));
  return erasure.feeds
    .filter(({ feed }) => own.has(feed))
    .filter(({ feed, generation, position }) => {
      const certificate = certificates.find((one) => one.replicaId === replicaId && one.feed === feed);
      return position === null || certificate?.generation !== generation || certificate.position < position;
    })
    .map(({ feed }) => feed);
}

async function purgeAndSweep(deps: EraseDeps): Promise<{ purged: number; objects: number; snapshots: number }> {
  let purged = 0;
  for (const erasure of await deps.erasures.list()) {
    const due = erasure.forgottenAt !== null && Date.parse(erasure.forgottenAt) + limits.erasurePurgeMs <= deps.clock.now();
    if (!due || erasure.purgedAt !== null) continue;
    await purge(deps, erasure);
    purged += 1;
  }
  return { purged, ...(await sweep(deps)) };
}

/** Main data first: what the feeds leave out must not come by the stream again. */
async function purge(deps: EraseDeps, erasure: Erasure): Promise<void> {
  const gone = new Set<string>();
  for (const [collection, keys] of Map.groupBy(erasure.tombstones, (one) => one.collection)) {
    const records = await deps.records.getMany(
      collection,
      keys.map(({ key }) => key),
    );
    // Somebody else may have the key by now: a telephone number is given again.
    const tombstones = keys.filter(({ key }) => records.get(key)?.deleted !== false);
    await deps.records.purge(tombstones.flatMap(({ key }) => records.get(key) ?? []));
    for (const { key } of tombstones) gone.add(`${collection}/${key}`);
  }
  for (const { feed } of erasure.feeds) await forgetFeed(deps, feed, { purge: (collection, key) => gone.has(`${collection}/${key}`) });
  const after = { ...erasure, tombstones: [], purgedAt: new Date(deps.clock.now()).toISOString() };
  if ((await deps.erasures.replace(erasure, after)) === 'conflict') throw new SyncError('CONFLICT', 'somebody runs the same erasure again');
}
