import type { Fields } from '../../protocol/catalogue/record.ts';
import { pointsText, thousandths } from './exact.ts';

/**
 * Balances are what the ledger says and nothing else: a summary is brought up to date in the transaction that writes
 * the entry (INV-16). `points` is the sum of credits and opening balances less debits.
 */
const DEBIT_TOTALS: Readonly<Record<string, string>> = {
  PointsRedemption: 'redeemed_points',
  PointsExpiry: 'expired_points',
  ReturnBill: 'returned_points',
};

export function addToSummary(summary: Fields | null, entry: Fields): Fields {
  const before = summary ?? { user_id: entry['user_id'] as string, program_id: entry['program_id'] as string };
  const amount = thousandths(String(entry['points']));
  const isDebit = entry['entry_type'] === 'DEBIT';
  const signed = isDebit ? -amount : amount;
  const total = isDebit ? DEBIT_TOTALS[String(entry['event_name'])] : 'lifetime_points';
  return {
    ...before,
    points: plus(before['points'], signed),
    // What is promised is not spendable, so it is never simply the balance.
    available_points: plus(before['available_points'] ?? before['points'], signed),
    ...(total === undefined ? {} : { [total]: plus(before[total], amount) }),
    as_of: laterOf(before['as_of'], String(entry['created_at'])),
    ledger_seq: Number(before['ledger_seq'] ?? 0) + 1,
  };
}

/** Whether the balances that stand had the entry in them when they were opened. */
export function isInOpening(summary: Fields | null, entry: Fields): boolean {
  const openedAt = summary?.['opened_at'];
  return openedAt !== undefined && Date.parse(String(entry['created_at'])) <= Date.parse(String(openedAt));
}

export function spendable(summary: Fields | null): bigint {
  return thousandths(String(summary?.['available_points'] ?? summary?.['points'] ?? '0'));
}

function plus(value: Fields[string] | undefined, more: bigint): string {
  return pointsText(thousandths(String(value ?? '0')) + more);
}

function laterOf(a: Fields[string] | undefined, b: string): string {
  return a !== undefined && Date.parse(String(a)) > Date.parse(b) ? String(a) : b;
}
