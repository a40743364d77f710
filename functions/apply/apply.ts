import type { Clock } from '../../core/ports/clock.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { Replica, Store, StoreRegistry } from '../../core/ports/store-registry.ts';
import type { Doorbell, UploadException, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { type Step, planStep } from '../../core/upload/plan-step.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import { limits } from '../../protocol/limits.ts';
import type { Operation } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Inbox } from './inbox.ts';
import { loadRecords } from './load-records.ts';
import { releaseHeld } from './release-held.ts';

/**
 * Applies what a replica has stored, in order, one transaction after another, each with the replica's watermark in it:
 * so an operation is applied exactly once, whoever calls this how often and at how many places at the same time (INV-11).
 */
export interface ApplyDeps {
  readonly uploads: UploadStore;
  readonly inbox: Inbox;
  readonly objects: Pick<ObjectStore, 'delete'>;
  readonly records: Pick<RecordStore, 'getMany'>;
  readonly registry: Pick<StoreRegistry, 'readReplica'>;
  readonly clock: Clock;
  readonly settings: { readonly scopes: ScopeSettings; readonly withheld: ReadonlySet<string> };
  readonly sleep: (ms: number) => Promise<void>;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Operations of one transaction, if it is to be fewer than it may hold. */
  readonly operationsMax?: number;
  /** When to stop and leave the rest to the next call, in milliseconds. */
  readonly until: () => number;
}

export interface Applied {
  readonly applied: number;
  /** Something is left: ring again. */
  readonly more: boolean;
  /** This object was stored and is gone: the replica is asked for it, and rings when it is there. */
  readonly lost?: string;
}

/** Another transaction had the same records, this often in a row, before the queue tries again. */
const CONFLICT_TRIES = 8;
const CONFLICT_WAIT_MS = 40;

export async function applyReplica(deps: ApplyDeps, replicaId: string): Promise<Applied> {
  const who = await deps.registry.readReplica(replicaId);
  // A revoked replica's operations stay stored and are not applied (INV-25).
  if (who === null || who.replica.status !== 'ACTIVE') return { applied: 0, more: false };
  let applied = 0;
  let conflicts = 0;
  let head = await deps.uploads.readHead(replicaId);
  const before = head.appliedThrough;
  for (; head.appliedThrough < head.stored.seq; head = await deps.uploads.readHead(replicaId)) {
    // Another call moved it, looks here again after that, and so finds what this one was rung for. Whoever moves it last goes on.
    if (head.appliedThrough !== before + applied) return { applied, more: false };
    if (deps.clock.now() >= deps.until()) return { applied, more: true };
    const { operations, object, isLost } = await deps.inbox.next(head, deps.operationsMax ?? limits.pushOperationsMax);
    if (isLost && object !== null) {
      if ((await deps.uploads.noteLostObject(head, object)) === 'conflict') continue;
      return { applied, more: false, lost: object.key };
    }
    const done = await applyStep(deps, who, { head, operations });
    if (done === 'conflict') {
      conflicts += 1;
      if (conflicts >= CONFLICT_TRIES) throw new SyncError('CONFLICT', 'others keep writing the same records', { retryAfterMs: 1_000 });
      await deps.sleep(CONFLICT_WAIT_MS * 2 ** conflicts * deps.random());
      continue;
    }
    conflicts = 0;
    applied += done;
    // Main data has what it held of people.
    if (object !== null && head.appliedThrough + done === object.through.seq) await deps.objects.delete([object.key]);
  }
  return { applied, more: false };
}

/** What a ring of the doorbell asks for, however often and however late it comes: what is left is rung for again. */
export async function answerRing(deps: ApplyDeps & { readonly doorbell: Doorbell }, replicaId: string): Promise<Applied> {
  const done = await applyReplica(deps, replicaId);
  if (done.more) await deps.doorbell.ring(replicaId);
  return done;
}

interface Work {
  readonly head: UploadHead;
  readonly operations: readonly Operation[];
  readonly setAside?: ReadonlySet<string>;
  /** Operations that stand as an exception already, because a copy of this store has sent them too. */
  readonly standing?: ReadonlyMap<string, UploadException>;
}

async function applyStep(
  deps: ApplyDeps,
  who: { store: Store; replica: Replica },
  { head, operations, setAside, standing }: Work,
): Promise<number | 'conflict'> {
  const seen = await loadRecords(deps.records, operations);
  const step = planStep({
    replicaId: head.replicaId,
    operations,
    records: seen,
    now: deps.clock.now(),
    store: who.store,
    settings: deps.settings,
    ...(setAside === undefined ? {} : { setAside }),
    ...(standing === undefined ? {} : { standing }),
  });
  const outcome = await deps.uploads.apply({ head, ...step });
  if (outcome === 'refused') return without(deps, who, { head, operations, step });
  if (outcome === 'conflict') {
    const found = standing === undefined ? await standingOf(deps, step) : new Map<string, UploadException>();
    return found.size === 0
      ? 'conflict'
      : await applyStep(deps, who, { head, operations, standing: found, ...(setAside === undefined ? {} : { setAside }) });
  }
  await releaseHeld(deps, step.writes);
  return step.receipts.length;
}

/** There is one exception of an operation, whichever replica sent it first. */
async function standingOf({ uploads }: ApplyDeps, { exceptions }: Step): Promise<Map<string, UploadException>> {
  const found = await Promise.all(exceptions.map(({ opId }) => uploads.readException(opId)));
  return new Map(found.flatMap((exception) => (exception === null ? [] : [[exception.opId, exception]])));
}

/** The database refuses one of them for good: half of them, until the one to blame stands alone and is set aside. */
async function without(
  deps: ApplyDeps,
  who: { store: Store; replica: Replica },
  { head, operations, step }: Work & { step: Step },
): Promise<number | 'conflict'> {
  const tried = operations.slice(0, step.receipts.length);
  const [only] = tried;
  if (tried.length > 1) return applyStep(deps, who, { head, operations: tried.slice(0, tried.length >> 1) });
  if (only === undefined || step.receipts[0]?.status === 'QUARANTINED')
    throw new SyncError('INTERNAL', 'the database does not even take that an operation was set aside');
  return applyStep(deps, who, { head, operations: tried, setAside: new Set([only.opId]) });
}
