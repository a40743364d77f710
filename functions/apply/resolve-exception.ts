import type { Clock } from '../../core/ports/clock.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import { type StoreRegistry, isTrusted } from '../../core/ports/store-registry.ts';
import type { UploadException, UploadStore } from '../../core/ports/upload-store.ts';
import { planStep } from '../../core/upload/plan-step.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { Operation, Receipt } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { loadRecords } from './load-records.ts';

/**
 * Judges an exception again: what waited, after the record came; what was refused, after somebody mended it. The
 * operation keeps its id, so it can be applied once only, and its replica learns what became of it. What only revoked replicas sent is not
 * applied by itself (INV-25); a person who looked may still decide that a sale was one.
 */
export interface ResolveDeps {
  readonly uploads: Pick<UploadStore, 'closeException' | 'readHeld'>;
  readonly records: Pick<RecordStore, 'getMany'>;
  readonly registry: Pick<StoreRegistry, 'readReplica'>;
  readonly clock: Clock;
  readonly settings: { readonly scopes: ScopeSettings; readonly withheld: ReadonlySet<string> };
}

const TRIES = 5;

interface Resolution {
  readonly operation: Operation;
  readonly by: string;
  /** Nobody decided it. */
  readonly isByItself?: boolean;
  /** Somebody said yes to what waits for that. */
  readonly isApproved?: boolean;
}

export async function resolveException(
  deps: ResolveDeps,
  exception: UploadException,
  { operation, by, isByItself = false, isApproved = false }: Resolution,
): Promise<Receipt> {
  const sender = isByItself ? await trustedSender(deps, exception) : null;
  if (isByItself && sender === null) return exception.receipt;
  const who = await deps.registry.readReplica(exception.replicaId);
  if (who === null) throw new SyncError('NOT_FOUND', 'the store of this operation is gone');
  for (let tries = 0; tries < TRIES; tries += 1) {
    const step = planStep({
      replicaId: exception.replicaId,
      operations: [operation],
      records: await loadRecords(deps.records, [operation]),
      now: deps.clock.now(),
      store: who.store,
      settings: deps.settings,
      isApproved,
    });
    const [receipt] = step.receipts;
    if (receipt === undefined) throw new SyncError('INTERNAL', 'an operation that was judged has a receipt');
    const { copies, version } = exception;
    const open = step.exceptions[0] === undefined ? null : { ...step.exceptions[0], copies, version: version + 1 };
    const closed = await deps.uploads.closeException(exception, {
      writes: step.writes,
      lost: step.lost,
      receipt,
      exception: open,
      by,
      sender,
    });
    if (closed === 'closed') return receipt;
  }
  throw new SyncError('CONFLICT', 'somebody else works on this exception or its records', { retryAfterMs: 500 });
}

/** Whoever sent it first, or a copy of that disk that sent it too. */
async function trustedSender({ registry }: ResolveDeps, { replicaId, copies }: UploadException): Promise<string | null> {
  const senders = await Promise.all([replicaId, ...copies].map((id) => registry.readReplica(id)));
  return senders.find((sender) => sender !== null && isTrusted(sender.replica))?.replica.replicaId ?? null;
}

/**
 * Closed unsent, by a person who says why; nothing is ever discarded by itself. `replacedBy`: the record that stands in its place,
 * and is there.
 */
export async function discardException(
  deps: Pick<ResolveDeps, 'clock' | 'records'> & { readonly uploads: Pick<UploadStore, 'closeException'> },
  exception: UploadException,
  { by, reason, replacedBy }: { readonly by: string; readonly reason: string; readonly replacedBy?: RecordAddress },
): Promise<Receipt> {
  const at = new Date(deps.clock.now()).toISOString();
  const receipt: Receipt = { ...exception.receipt, ...(await closingOf(deps, reason, replacedBy)), at };
  const closed = await deps.uploads.closeException(exception, { writes: [], lost: [], receipt, exception: null, by, sender: null });
  if (closed === 'conflict') throw new SyncError('CONFLICT', 'somebody else closed this exception', { retryAfterMs: 500 });
  return receipt;
}

interface RecordAddress {
  readonly collection: string;
  readonly key: string;
}

async function closingOf(
  { records }: Pick<ResolveDeps, 'records'>,
  reason: string,
  replacedBy: RecordAddress | undefined,
): Promise<Pick<Receipt, 'status' | 'reason'>> {
  if (replacedBy === undefined) return { status: 'DISCARDED', reason };
  const { collection, key } = replacedBy;
  const standing = (await records.getMany(collectionOf(collection).name, [key])).get(key);
  if (standing === undefined || standing.deleted)
    throw new SyncError('NOT_FOUND', `there is no ${collection} ${JSON.stringify(key)} that could stand in its place`);
  return { status: 'CORRECTED', reason: `replaced by ${collection}/${key}: ${reason}`.slice(0, 500) };
}
