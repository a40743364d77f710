import type { Receipt } from '../../protocol/operation.ts';
import { type EntryStatus, isOpen, isWaiting } from './entry.ts';

/**
 * Which receipts of an answer change which entries.
 *
 * A receipt belongs to the operation whose id it names: numbers are used again after a restore, ids never (INV-13). A
 * first receipt is taken once; what is revised is taken as often as it comes, because head office repeats it until the
 * replica is gone. An id that is not here belongs to a past this outbox does not have: there is nothing to change.
 */
export interface Settlement {
  readonly opId: string;
  readonly receipt: Receipt;
}

export interface KnownEntry {
  readonly status: EntryStatus;
  readonly receipt: Receipt | null;
}

export function settle(
  entries: ReadonlyMap<string, KnownEntry>,
  { receipts, revised }: { readonly receipts: readonly Receipt[]; readonly revised: readonly Receipt[] },
): Settlement[] {
  const settlements = new Map<string, Settlement>();
  const take = (receipt: Receipt) => settlements.set(receipt.opId, { opId: receipt.opId, receipt });
  for (const receipt of receipts) {
    const entry = entries.get(receipt.opId);
    if (entry !== undefined && entry.receipt === null) take(receipt);
  }
  for (const receipt of revised) {
    const entry = entries.get(receipt.opId);
    if (entry !== undefined && isRevised(entry, receipt)) take(receipt);
  }
  return [...settlements.values()];
}

/** What is closed stays closed. */
function isRevised({ status, receipt: known }: KnownEntry, receipt: Receipt): boolean {
  if (isWaiting(status) || known === null) return true;
  return isOpen(status) && (known.status !== receipt.status || known.at !== receipt.at);
}
