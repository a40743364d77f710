import { packOperations } from '../../codec/operation-lines.ts';
import { sha256Hex } from '../../codec/pack.ts';
import { assert } from '../../protocol/assert.ts';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import { limits } from '../../protocol/limits.ts';
import type { PushResponse } from '../../protocol/messages/push.ts';
import type { Operation, OutboxMark } from '../../protocol/operation.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import type { UploadApi } from '../transport/cloud-api.ts';
import type { OutboxFile } from './outbox-file.ts';

/**
 * Sends operations as an object: head office is asked, says where to put it, and is asked again. Nothing is kept of it here:
 * after a crash the same is packed again, and head office knows it by its digest, so what was put is not put twice.
 */
export interface PushObjectDeps {
  readonly cloud: Pick<UploadApi, 'push' | 'putObject'>;
  readonly outbox: OutboxFile;
  readonly signal: AbortSignal;
}

/** It was put and is not there, this often. */
const PUTS_MAX = 2;

/**
 * The last answer, which is acknowledged. null: it does not get there as an object, because the object store cannot be reached
 * from here, or head office does not take it; batches may be taken all the same.
 */
export async function pushObject(
  { cloud, outbox, signal }: PushObjectDeps,
  after: OutboxMark,
  operations: readonly Operation[],
): Promise<PushResponse | null> {
  const last = operations.at(-1);
  assert(last !== undefined, 'an object holds at least one operation');
  const packed = await packOperations(operations);
  const object = { through: { seq: last.seq, chain: last.chain }, bytes: packed.length, sha256: sha256Hex(packed) };
  for (let puts = 0; puts <= PUTS_MAX; puts += 1) {
    signal.throwIfAborted();
    const answer = await unless(['INVALID_INPUT'], cloud.push({ after, operations: [], object, ...outbox.heard() }));
    if (answer === null) return null;
    outbox.acknowledge(answer);
    if (answer.put === undefined) return answer;
    if ((await unless(['CONNECTIVITY', 'UNAVAILABLE'], cloud.putObject(answer.put, packed))) === null) return null;
  }
  return null;
}

/** null when it fails with one of these. */
async function unless<T>(codes: readonly ErrorCodeName[], call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (codes.some((code) => isSyncError(error, code))) return null;
    throw error;
  }
}

/** What head office had and lost, if this outbox still has all of it; null otherwise. */
export function wantedOperations(
  outbox: OutboxFile,
  { after, through }: NonNullable<PushResponse['wanted']>,
): { readonly after: OutboxMark; readonly operations: readonly Operation[] } | null {
  const mark = outbox.markAt(after);
  const count = through - after;
  if (mark === null || count < 1 || count > limits.uploadOperationsMax) return null;
  const operations = outbox.operationsAfter(after, count);
  return operations.length === count ? { after: mark, operations } : null;
}
