import { chainAfter } from '../../codec/operation-chain.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Doorbell, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { limits } from '../../protocol/limits.ts';
import type { PushRequest, PushResponse } from '../../protocol/messages/push.ts';
import { CHAIN_START, type Operation } from '../../protocol/operation.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * Takes a replica's operations and stores them before it answers; applying is somebody else's work. What is stored
 * already is stored once; what does not follow on what is stored is refused: as a gap, or as another past (INV-10).
 */
export interface PushDeps {
  readonly uploads: UploadStore;
  readonly doorbell: Doorbell;
  readonly clock: Clock;
}

/** Another call of the same replica was faster, this often in a row. */
const TRIES = 5;

export async function push(deps: PushDeps, replicaId: string, request: PushRequest): Promise<PushResponse> {
  checkChain(request);
  const head = await stored(deps, replicaId, request);
  if (head.appliedThrough < head.stored.seq) await deps.doorbell.ring(replicaId);
  const [receipts, revised] = await Promise.all([
    head.appliedThrough > request.receiptsAfter ? deps.uploads.readReceipts(replicaId, request.receiptsAfter, limits.receiptsMax) : [],
    head.revisions > 0 ? deps.uploads.readRevised(replicaId, limits.receiptsMax) : [],
  ]);
  return {
    serverTime: new Date(deps.clock.now()).toISOString(),
    storedThrough: head.stored.seq,
    appliedThrough: head.appliedThrough,
    receipts,
    revised,
  };
}

async function stored(deps: PushDeps, replicaId: string, request: PushRequest): Promise<UploadHead> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const head = await deps.uploads.readHead(replicaId);
    await checkPast(deps, head, request);
    const fresh = request.operations.filter(({ seq }) => seq > head.stored.seq);
    const last = fresh.at(-1);
    if (last === undefined) return head;
    if ((await deps.uploads.store(head, fresh)) === 'stored') return { ...head, stored: { seq: last.seq, chain: last.chain } };
  }
  throw new SyncError('UNAVAILABLE', 'another call of this replica is under way', { retryAfterMs: 500 });
}

function checkChain({ after, operations }: PushRequest): void {
  let { seq, chain } = after;
  for (const operation of operations) {
    if (operation.seq !== seq + 1) throw new SyncError('INVALID_INPUT', `operation ${operation.seq} does not follow on ${seq}`);
    if (chainAfter(chain, operation) !== operation.chain)
      throw new SyncError('INVALID_INPUT', `the chain of operation ${operation.seq} is not its own`);
    ({ seq, chain } = operation);
  }
  if (utf8Bytes(JSON.stringify(operations)) > limits.pushBytesMax)
    throw new SyncError('INVALID_INPUT', `operations have more than ${limits.pushBytesMax} bytes; send fewer`);
}

/** The replica's past and the one that is stored are the same as far as both go. */
async function checkPast(
  { uploads }: PushDeps,
  { replicaId, stored: mark }: UploadHead,
  { after, operations }: PushRequest,
): Promise<void> {
  if (after.seq > mark.seq)
    throw new SyncError('OUTBOX_GAP', `head office has operations up to ${mark.seq}`, { details: { storedThrough: mark.seq } });
  if (after.seq === mark.seq) return same(after.chain, mark.chain);
  // A replica that asks and sends nothing names its last entry: one that has fewer than head office lost some.
  if (operations.length === 0) throw forked();
  const known = await uploads.readOperations(replicaId, Math.max(0, after.seq - 1), operations.length + 1);
  const bySeq = new Map(known.map((operation): [number, Operation] => [operation.seq, operation]));
  same(after.chain, after.seq === 0 ? CHAIN_START : bySeq.get(after.seq)?.chain);
  for (const { seq, chain } of operations) if (seq <= mark.seq) same(chain, bySeq.get(seq)?.chain);
}

function same(chain: string, known: string | undefined): void {
  if (chain !== known) throw forked();
}

function forked(): SyncError {
  return new SyncError('REPLICA_FORKED', 'head office knows another past of this outbox; it was restored or copied');
}
