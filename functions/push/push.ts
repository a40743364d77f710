import type { Clock } from '../../core/ports/clock.ts';
import type { Doorbell, InboxEntry, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { limits } from '../../protocol/limits.ts';
import type { PushRequest, PushResponse } from '../../protocol/messages/push.ts';
import { receiptInVersion } from '../../protocol/operation.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { checkChain } from './check-chain.ts';
import { type ObjectOutcome, type PushObjectDeps, pushObject } from './push-object.ts';
import { forked, gap } from './refusals.ts';

/**
 * Takes a replica's operations and stores them before it answers; applying is somebody else's work. What is stored
 * already is stored once; what does not follow on what is stored is refused: as a gap, or as another past (INV-10).
 */
export interface PushDeps extends PushObjectDeps {
  readonly uploads: UploadStore;
  readonly doorbell: Doorbell;
  readonly clock: Clock;
}

/** Another call of the same replica was faster, this often in a row. */
const TRIES = 5;

export async function push(deps: PushDeps, replicaId: string, request: PushRequest): Promise<PushResponse> {
  checkOperations(request);
  const { head, put } = await stored(deps, replicaId, request);
  const { appliedThrough, wantedThrough } = head;
  // An agent of before has no place to keep how far it is: it hears of the newest ones.
  const revisedAfter = request.revisedAfter ?? Math.max(0, head.revisions - limits.receiptsMax);
  if (appliedThrough < head.stored.seq && wantedThrough === null) await deps.doorbell.ring(replicaId);
  const hasReceipts = appliedThrough > request.receiptsAfter;
  const [receipts, revised] = await Promise.all([
    hasReceipts ? deps.uploads.readReceipts(replicaId, request.receiptsAfter, limits.receiptsMax) : [],
    head.revisions > revisedAfter ? deps.uploads.readRevised(replicaId, revisedAfter, limits.receiptsMax) : [],
  ]);
  // Main data has it, and the replica knows that it was stored: it never sends it again.
  if (hasReceipts) await deps.uploads.forgetInbox(replicaId, Math.min(appliedThrough, request.after.seq));
  return {
    serverTime: new Date(deps.clock.now()).toISOString(),
    storedThrough: head.stored.seq,
    appliedThrough,
    receipts: receipts.map((receipt) => receiptInVersion(request.protocol, receipt)),
    revised: revised.map(({ receipt }) => receiptInVersion(request.protocol, receipt)),
    revisedThrough: revised.at(-1)?.number ?? revisedAfter,
    ...(put === undefined ? {} : { put }),
    ...(wantedThrough === null ? {} : { wanted: { after: appliedThrough, through: wantedThrough } }),
  };
}

async function stored(deps: PushDeps, replicaId: string, { object, ...request }: PushRequest): Promise<ObjectOutcome> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const outcome =
      object === undefined
        ? await pushBatch(deps, replicaId, request)
        : await pushObject(deps, replicaId, { after: request.after, object });
    if (outcome !== 'conflict') return outcome;
  }
  throw new SyncError('UNAVAILABLE', 'another call of this replica is under way', { retryAfterMs: 500 });
}

async function pushBatch(deps: PushDeps, replicaId: string, request: PushRequest): Promise<ObjectOutcome | 'conflict'> {
  const head = await deps.uploads.readHead(replicaId);
  await checkPast(deps, head, request);
  const fresh = request.operations.filter(({ seq }) => seq > head.stored.seq);
  const last = fresh.at(-1);
  if (last === undefined) return { head };
  if ((await deps.uploads.store(head, fresh, deps.clock.now())) === 'conflict') return 'conflict';
  return { head: { ...head, stored: { seq: last.seq, chain: last.chain } } };
}

function checkOperations({ after, operations }: PushRequest): void {
  checkChain(after, operations);
  if (utf8Bytes(JSON.stringify(operations)) > limits.pushBytesMax)
    throw new SyncError('INVALID_INPUT', `operations have more than ${limits.pushBytesMax} bytes; send fewer`);
}

/** The replica's past and the one that is stored are the same as far as both go. */
async function checkPast({ uploads }: PushDeps, head: UploadHead, { after, operations }: PushRequest): Promise<void> {
  const { replicaId, stored: mark } = head;
  if (after.seq > mark.seq) throw gap(head);
  if (after.seq === mark.seq) return same(after.chain, mark.chain);
  // A replica that asks and sends nothing names its last entry: one that has fewer than head office lost some.
  if (operations.length === 0) throw forked();
  const known = chainsOf(await uploads.readInbox(replicaId, after.seq, operations.length));
  // The first operation's chain is made of the one before it.
  for (const { seq, chain } of operations) if (seq <= mark.seq && known.get(seq) !== null) same(chain, known.get(seq));
}

/**
 * Of an object only both ends, and null between them, because it may be gone. A past that forked there is seen when the replica
 * goes on: it then says its own chain where head office ends.
 */
function chainsOf(entries: readonly InboxEntry[]): Map<number, string | null> {
  const chains = new Map<number, string | null>();
  for (const entry of entries) {
    const marks = entry.kind === 'operations' ? entry.operations : [entry.before, entry.through];
    if (entry.kind === 'object') for (let seq = entry.before.seq + 1; seq < entry.through.seq; seq += 1) chains.set(seq, null);
    for (const { seq, chain } of marks) chains.set(seq, chain);
  }
  return chains;
}

function same(chain: string, known: string | null | undefined): void {
  if (chain !== known) throw forked();
}
