import { unpackLines } from '../../codec/operation-lines.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { ObjectEntry, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { placeObject } from '../../core/upload/place-object.ts';
import { uploadKey } from '../../core/upload/upload-key.ts';
import { limits } from '../../protocol/limits.ts';
import type { PushRequest, PushResponse, UploadObject } from '../../protocol/messages/push.ts';
import { type Operation, operationSchema } from '../../protocol/operation.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { describeIssues } from '../http/http-function.ts';
import { readUpload } from '../read-upload.ts';
import { checkChain } from './check-chain.ts';
import { forked, gap } from './refusals.ts';

/**
 * Takes operations in as an object. It is read and checked like a batch, every operation and the chain through all of them,
 * before the inbox names it in the same conditional write as a batch (INV-10). Until it is there the answer is where to put
 * it; nobody else can put anything there, and what is put and never named is swept away.
 */
export interface PushObjectDeps {
  readonly uploads: Pick<UploadStore, 'readHead' | 'readInbox' | 'storeObject' | 'replaceObject'>;
  readonly objects: Pick<ObjectStore, 'get' | 'presignPut'>;
  readonly clock: Clock;
}

export type ObjectOutcome = { readonly head: UploadHead; readonly put?: PushResponse['put'] };

/** `conflict`: another call of the same replica was faster. */
export async function pushObject(
  { uploads, objects, clock }: PushObjectDeps,
  replicaId: string,
  { after, object }: Pick<PushRequest, 'after'> & { readonly object: UploadObject },
): Promise<ObjectOutcome | 'conflict'> {
  const { bytes, sha256, through } = object;
  const head = await uploads.readHead(replicaId);
  const place = placeObject(head, { after, through });
  if (place === 'gap') throw gap(head);
  if (place === 'fork') throw forked();
  if (place === 'stored') return { head };
  const key = uploadKey(replicaId, { after: after.seq, through, sha256 });
  const packed = await readUpload(objects, { key, bytes, sha256 });
  if (packed === null) return { head, put: await objects.presignPut(key, { bytes, sha256, seconds: limits.presignedUrlSeconds }) };
  await check(packed, { after, through });
  const entry: ObjectEntry = { kind: 'object', before: after, through, after: after.seq, key, bytes, sha256, receivedAt: clock.now() };
  if (place === 'append')
    return (await uploads.storeObject(head, entry)) === 'conflict' ? 'conflict' : { head: { ...head, stored: through } };
  const lost = await lostEntry(uploads, head);
  // The chain ends as it did, so the operations are the same.
  if (lost.through.seq !== through.seq || lost.through.chain !== through.chain) throw forked();
  const replaced = await uploads.replaceObject(head, { ...entry, before: lost.before, receivedAt: lost.receivedAt });
  return replaced === 'conflict' ? 'conflict' : { head: { ...head, wantedThrough: null } };
}

async function lostEntry(uploads: Pick<UploadStore, 'readInbox'>, { replicaId, appliedThrough }: UploadHead): Promise<ObjectEntry> {
  const [entry] = await uploads.readInbox(replicaId, appliedThrough, 1);
  if (entry?.kind !== 'object') throw new SyncError('CONFLICT', 'what was lost is there again');
  return entry;
}

/** Whatever is wrong with it is the sender's, who then sends in batches, so that only what is wrong is refused. */
async function check(packed: Uint8Array, { after, through }: Pick<PushRequest, 'after'> & Pick<UploadObject, 'through'>): Promise<void> {
  const lines = await unpackLines(packed, limits.uploadRawBytesMax).catch((cause: unknown) => {
    throw isSyncError(cause, 'INTEGRITY')
      ? new SyncError('INVALID_INPUT', `the object is not packed, or has more than ${limits.uploadRawBytesMax} bytes`, { cause })
      : cause;
  });
  if (lines.length !== through.seq - after.seq)
    throw new SyncError('INVALID_INPUT', `the object has ${lines.length} operations, not ${through.seq - after.seq}`);
  const last = checkChain(after, parsed(lines));
  if (last.chain !== through.chain) throw new SyncError('INVALID_INPUT', `the chain of operation ${last.seq} is not the one announced`);
}

/** One at a time: what is checked need not stay. */
function* parsed(lines: readonly string[]): Generator<Operation> {
  for (const [index, line] of lines.entries()) {
    const operation = operationSchema.safeParse(parseJson(line));
    if (!operation.success)
      throw new SyncError('INVALID_INPUT', `operation ${index + 1} of the object: ${describeIssues(operation.error)}`);
    yield operation.data;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
