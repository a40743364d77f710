import { limits } from '../../protocol/limits.ts';
import type { Operation } from '../../protocol/operation.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';

/** As many of the operations, in order, as one push takes. One always fits: capture sees to that. */
export function nextBatch(
  operations: readonly Operation[],
  { operationsMax = limits.pushOperationsMax, bytesMax = limits.pushBytesMax }: { operationsMax?: number; bytesMax?: number } = {},
): Operation[] {
  const batch: Operation[] = [];
  let bytes = 2;
  for (const operation of operations.slice(0, operationsMax)) {
    bytes += operationBytes(operation) + (batch.length === 0 ? 0 : 1);
    if (batch.length > 0 && bytes > bytesMax) break;
    batch.push(operation);
  }
  return batch;
}

/** As it travels. */
export function operationBytes(operation: Operation): number {
  return utf8Bytes(JSON.stringify(operation));
}
