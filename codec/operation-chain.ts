import type { UnchainedOperation } from '../protocol/operation.ts';
import { sha256Hex } from './pack.ts';

/** The chain with one more operation. Field order does not count. */
export function chainAfter(previous: string, { seq, opId, collection, key, kind, fields, base, clock }: UnchainedOperation): string {
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sha256Hex(JSON.stringify([previous, seq, opId, collection, key, kind, sorted, base, clock]));
}
