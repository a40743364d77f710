import type { Fields, Issue } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { MainRecord } from '../ports/record-store.ts';

/**
 * What head office itself may write of facts and balances: a fact stands as it is (INV-18), and a balance moves by
 * entries of the ledger only (INV-16). A summary that no entry has moved yet may be opened, and opened again.
 */
const MONEY: ReadonlySet<string> = new Set(['points_ledger', 'points_redemption', 'coupon_redemption']);

interface Edit {
  readonly collection: Collection;
  /** null: delete. */
  readonly fields: Fields | null;
  readonly current: MainRecord | null;
}

export function refusedEdit({ collection, fields, current }: Edit): Issue[] {
  if (current === null || current.deleted) return [];
  if (fields === null) return refusedDeletion(collection, current);
  const before = current.fields;
  const differs = (name: string) => fields[name] !== before[name];
  if (collection.name === 'loyalty_summary' && isMoved(before))
    return namesOf(collection, 'CD')
      .filter((name) => fields[name] !== undefined && name !== 'ledger_seq' && differs(name))
      .map((field) => ({ field, reason: 'follows the ledger: write an entry of points_ledger instead' }));
  if (collection.rule !== 'AO') return [];
  return namesOf(collection, 'AO')
    .filter(differs)
    .map((field) => ({ field, reason: 'is part of a fact and never changes' }));
}

function refusedDeletion(collection: Collection, { fields }: MainRecord): Issue[] {
  const isMoney = MONEY.has(collection.name) || (collection.name === 'loyalty_summary' && isMoved(fields));
  return isMoney ? [{ field: 'record', reason: 'is money and is never deleted: write what gives it back' }] : [];
}

function namesOf(collection: Collection, rule: Collection['rule']): string[] {
  return collection.fields.filter((field) => field.rule === rule).map(({ name }) => name);
}

function isMoved(summary: Fields): boolean {
  return Number(summary['ledger_seq'] ?? 0) > 0;
}

/** A summary as head office brings it: balances that entries have moved stay, others are opened as of a time. */
export function openedSummary({ collection, fields, current }: Edit & { readonly fields: Fields }, now: number): Fields {
  const before = current === null || current.deleted ? null : current.fields;
  const { ledger_seq: _, ...brought } = fields;
  if (before !== null && isMoved(before)) {
    const balances = namesOf(collection, 'CD');
    return { ...brought, ...Object.fromEntries(balances.flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]]))) };
  }
  const openedAt = brought['opened_at'] ?? brought['as_of'] ?? before?.['opened_at'] ?? new Date(now).toISOString().replace('.000Z', 'Z');
  return { ...brought, opened_at: openedAt };
}
