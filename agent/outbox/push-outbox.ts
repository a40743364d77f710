import { nextBatch } from '../../core/outbox/next-batch.ts';
import { limits } from '../../protocol/limits.ts';
import type { Operation } from '../../protocol/operation.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import type { UploadApi } from '../transport/cloud-api.ts';
import type { OutboxFile } from './outbox-file.ts';

/**
 * Sends what is recorded, in order, batch after batch, and takes the receipts that are there. Whatever is lost on the
 * way, the same is sent again: head office stores each operation once. Throws what head office or the network says; what
 * was not answered to is noted as such and is sent by the next run.
 */
export interface PushDeps {
  readonly cloud: Pick<UploadApi, 'push'>;
  readonly outbox: OutboxFile;
  readonly signal: AbortSignal;
}

export interface Pushed {
  readonly sent: number;
  readonly receipts: number;
}

/** Head office was restored more than once within one run: something else is wrong. */
const REWINDS_MAX = 3;

export async function pushOutbox({ cloud, outbox, signal }: PushDeps): Promise<Pushed> {
  const pushed = { sent: 0, receipts: 0 };
  let rewinds = 0;
  for (;;) {
    signal.throwIfAborted();
    const operations = nextBatch(outbox.unsent(limits.pushOperationsMax));
    if (operations.length === 0 && outbox.countOpen().withoutReceipt === 0 && pushed.sent === 0) return pushed;
    outbox.note(operations, 'given');
    try {
      const request = { after: outbox.storedMark(), operations, receiptsAfter: outbox.receiptsThrough() };
      const answer = await cloud.push(request);
      outbox.acknowledge(answer);
      pushed.sent += operations.length;
      pushed.receipts += answer.receipts.length;
      if (operations.length === 0 && answer.receipts.length < limits.receiptsMax) return pushed;
    } catch (error) {
      if (!isSyncError(error, 'OUTBOX_GAP') || ++rewinds > REWINDS_MAX) throw noted(outbox, operations, error);
      outbox.note(operations, 'no-answer');
      outbox.rewind(Number(error.details?.['storedThrough'] ?? 0));
    }
  }
}

function noted(outbox: OutboxFile, operations: readonly Operation[], error: unknown): unknown {
  if (isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')) outbox.note(operations, 'busy');
  else outbox.note(operations, 'no-answer');
  return error;
}
