import { sha256Hex } from '../../codec/pack.ts';
import { formatCode, normalizeCode } from '../../core/enrolment-code.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { Quarantine } from '../../core/ports/quarantine.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import { type StoreRegistry, lastHeardAt } from '../../core/ports/store-registry.ts';
import { horizonUse } from '../../core/stores/horizon-use.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { limits } from '../../protocol/limits.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Organization } from '../../protocol/organization.ts';
import type * as z from 'zod';
import type { RunStore } from '../../core/ports/run-store.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { withheldFields } from '../../core/withheld-fields.ts';
import { type ExceptionDeps, exceptionsApi, isExceptionRequest } from './exceptions.ts';
import { isSyncRequest, syncApi } from './sync.ts';
import { writeRecords } from './write-records.ts';

/** What central IT can do. Each operation validates its input and answers with its own schema. */
export interface ConsoleDeps {
  readonly records: RecordStore;
  readonly feeds: FeedStore;
  readonly registry: StoreRegistry;
  readonly quarantine: Pick<Quarantine, 'list'>;
  readonly uploads: UploadStore;
  readonly runs: RunStore;
  readonly ids: Ids;
  readonly clock: Clock;
  /** 16 bytes nobody can guess. */
  readonly randomBytes: () => Uint8Array;
  readonly organization: Organization;
}

type Request = z.output<typeof consoleRequestSchema>;

/** Somebody else changed the store between our read and our write, this often in a row. */
const CHANGE_TRIES = 5;
/** `readFeeds` takes this many at once. */
const FEEDS_AT_ONCE = 50;

export async function consoleApi(deps: ConsoleDeps, request: Request): Promise<object> {
  if (isSyncRequest(request)) return syncApi(deps, request);
  if (isExceptionRequest(request)) return exceptionsApi(exceptionDeps(deps), request);
  switch (request.op) {
    case 'store.add':
      return addStore(deps, request);
    case 'store.change':
      return changeStore(deps, request);
    case 'store.changes':
      return { changes: await deps.registry.readStoreChanges(request.storeId) };
    case 'store.list':
      return listStores(deps, request);
    case 'records.write':
      return { outcomes: await writeRecords({ ...deps, scopes: deps.organization.scopes }, request) };
    case 'records.get': {
      const collection = collectionOf(request.collection);
      return { record: (await deps.records.getMany(collection.name, [request.key])).get(request.key) ?? null };
    }
    case 'records.count': {
      const collection = collectionOf(request.collection);
      return { collection: collection.name, count: await deps.records.count(collection.name) };
    }
    case 'feeds.list':
      return { feeds: await listFeeds(deps) };
    case 'quarantine.list':
      return deps.quarantine.list({ after: request.after ?? null, limit: request.limit });
  }
}

function exceptionDeps({ uploads, records, registry, clock, organization }: ConsoleDeps): ExceptionDeps {
  const settings = { scopes: organization.scopes, withheld: new Set(withheldFields(organization.shareSensitiveFields)) };
  return { uploads, records, registry, clock, settings };
}

async function addStore(deps: ConsoleDeps, request: Extract<Request, { op: 'store.add' }>): Promise<object> {
  const now = deps.clock.now();
  await deps.registry.addStore({
    storeId: request.storeId,
    name: request.name ?? request.storeId,
    edition: request.edition,
    zone: request.zone ?? null,
    timeZone: request.timeZone ?? deps.organization.timeZone,
    currency: request.currency ?? deps.organization.currency,
    createdAt: new Date(now).toISOString(),
  });
  const code = formatCode(deps.randomBytes());
  const expiresAt = now + limits.enrolmentCodeLifeMs;
  await deps.registry.putEnrolmentCode({ sha256: sha256Hex(normalizeCode(code)), storeId: request.storeId, expiresAt });
  return { storeId: request.storeId, code, expiresAt: new Date(expiresAt).toISOString() };
}

async function listStores({ registry, clock }: ConsoleDeps, { after, limit }: Extract<Request, { op: 'store.list' }>): Promise<object> {
  const now = clock.now();
  const { stores, next } = await registry.listStores({ after: after ?? null, limit });
  const listed = stores.map(({ store, replicas, certificates }) => ({
    ...store,
    replicas: replicas.map((replica) => ({ ...replica, horizon: horizonUse(lastHeardAt(replica), now) })),
    certificates,
  }));
  return { stores: listed, next };
}

/** A change of zone or edition moves what the store may read; it takes effect at the store's next plan (INV-40). */
async function changeStore({ registry, clock }: ConsoleDeps, request: Extract<Request, { op: 'store.change' }>): Promise<object> {
  for (let tries = 0; tries < CHANGE_TRIES; tries += 1) {
    const before = await registry.readStore(request.storeId);
    if (before === null) throw new SyncError('NOT_FOUND', `there is no store ${request.storeId}`);
    const after = { ...before, zone: request.zone === undefined ? before.zone : request.zone, edition: request.edition ?? before.edition };
    if (after.zone === before.zone && after.edition === before.edition) return { changed: false, store: before };
    if ((await registry.changeStore(before, after, new Date(clock.now()).toISOString())) === 'changed')
      return { changed: true, store: after };
  }
  throw new SyncError('CONFLICT', `others keep changing store ${request.storeId}`, { retryAfterMs: 500 });
}

async function listFeeds({ feeds }: ConsoleDeps): Promise<object[]> {
  const names = (await feeds.listFeeds()).sort();
  const listed: object[] = [];
  for (let start = 0; start < names.length; start += FEEDS_AT_ONCE) {
    for (const [feed, { head, snapshot }] of await feeds.readFeeds(names.slice(start, start + FEEDS_AT_ONCE))) {
      const { generation, position, asOf } = head;
      const newest =
        snapshot === null
          ? null
          : { position: snapshot.position, rows: snapshot.rows, bytes: snapshot.bytes, chunks: snapshot.chunks, root: snapshot.root };
      listed.push({ feed, generation, position, asOf, snapshot: newest });
    }
  }
  return listed;
}
