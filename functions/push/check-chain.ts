import { chainAfter } from '../../codec/operation-chain.ts';
import type { Operation, OutboxMark } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/** Each operation follows on the one before it, in number and in chain. `INVALID_INPUT` where one does not. Returns the last mark. */
export function checkChain(after: OutboxMark, operations: Iterable<Operation>): OutboxMark {
  let { seq, chain } = after;
  for (const operation of operations) {
    if (operation.seq !== seq + 1) throw new SyncError('INVALID_INPUT', `operation ${operation.seq} does not follow on ${seq}`);
    if (chainAfter(chain, operation) !== operation.chain)
      throw new SyncError('INVALID_INPUT', `the chain of operation ${operation.seq} is not its own`);
    ({ seq, chain } = operation);
  }
  return { seq, chain };
}
