import type { Actor, AuditLog } from '../../core/ports/audit-log.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { FeedStore } from '../../core/ports/feed-store.ts';
import type { Quarantine } from '../../core/ports/quarantine.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import type { Organization } from '../../protocol/organization.ts';
import type * as z from 'zod';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import type { RunStore } from '../../core/ports/run-store.ts';
import type { UndertakingStore } from '../../core/ports/undertaking-store.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { withheldFields } from '../../core/withheld-fields.ts';
import { audited } from './audited.ts';
import { type Done, looked } from './done.ts';
import { type ExceptionDeps, exceptionsApi, isExceptionRequest } from './exceptions.ts';
import { isRolloutRequest, rolloutApi } from './rollout.ts';
import { isStoreRequest, storesApi } from './stores.ts';
import { isSyncRequest, syncApi } from './sync.ts';
import { isUndertakingRequest, undertakingsApi } from './undertakings.ts';
import { editRecords } from './edit-records.ts';

/** What central IT can do. Each operation validates its input and answers with its own schema. */
export interface ConsoleDeps {
  readonly records: RecordStore;
  readonly feeds: FeedStore;
  readonly registry: StoreRegistry;
  readonly quarantine: Pick<Quarantine, 'list'>;
  readonly uploads: UploadStore;
  readonly runs: RunStore;
  readonly audit: AuditLog;
  readonly undertakings: UndertakingStore;
  readonly rollouts: RolloutStore;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly hourMs: number;
  /** 16 bytes nobody can guess. */
  readonly randomBytes: () => Uint8Array;
  readonly organization: Organization;
}

type Request = z.output<typeof consoleRequestSchema>;

/** `readFeeds` takes this many at once. */
const FEEDS_AT_ONCE = 50;

/** Nobody gets past the audit. */
export function consoleApi(deps: ConsoleDeps, actor: Actor, request: Request): Promise<object> {
  return audited(deps, { actor, request }, () => operate(deps, actor, request));
}

async function operate(deps: ConsoleDeps, actor: Actor, request: Request): Promise<Done> {
  if (isSyncRequest(request)) return syncApi(deps, request);
  if (isStoreRequest(request)) return storesApi(deps, request);
  if (isExceptionRequest(request)) return exceptionsApi(exceptionDeps(deps), request);
  if (isUndertakingRequest(request)) return undertakingsApi(deps, actor, request);
  if (isRolloutRequest(request)) return rolloutApi(deps, actor, request);
  switch (request.op) {
    case 'audit.list':
      return looked(await listAudit(deps, request));
    case 'records.write':
      return editRecords(deps, request);
    case 'records.get': {
      const collection = collectionOf(request.collection);
      return looked({ record: (await deps.records.getMany(collection.name, [request.key])).get(request.key) ?? null });
    }
    case 'records.lost':
      return looked({
        values: await deps.uploads.readLost({ ...request, collection: collectionOf(request.collection).name }, request.limit),
      });
    case 'records.count': {
      const collection = collectionOf(request.collection);
      return looked({ collection: collection.name, count: await deps.records.count(collection.name) });
    }
    case 'feeds.list':
      return looked({ feeds: await listFeeds(deps) });
    case 'quarantine.list':
      return looked(await deps.quarantine.list({ after: request.after ?? null, limit: request.limit }));
  }
}

function exceptionDeps({ uploads, records, registry, clock, organization }: ConsoleDeps): ExceptionDeps {
  const settings = { scopes: organization.scopes, withheld: new Set(withheldFields(organization.shareSensitiveFields)) };
  return { uploads, records, registry, clock, settings };
}

function listAudit({ audit, clock }: ConsoleDeps, { month, after, limit }: Extract<Request, { op: 'audit.list' }>): Promise<object> {
  return audit.list({ month: month ?? new Date(clock.now()).toISOString().slice(0, 7), after: after ?? null, limit });
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
