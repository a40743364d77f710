import type { Fields, Issue } from '../../protocol/catalogue/record.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { RecordWrite } from '../ports/record-store.ts';
import { RecordOverlay } from '../records/record-overlay.ts';
import type { Seen } from '../upload/verdict.ts';
import { addToSummary, isInOpening } from './balance.ts';
import { tierAfter } from './tier.ts';

/**
 * Entries of the ledger that head office brings, of one customer in one program: what they and the balance and tier
 * they give make of main data. All of it is one transaction (INV-16).
 */
export interface LedgerEntry {
  readonly key: string;
  readonly fields: Fields;
}

export interface LedgerPlan {
  /** Of customer and program: key of the summary and of the tier. */
  readonly account: string;
  readonly entries: readonly LedgerEntry[];
  readonly records: Seen;
  /** Of the program, in any order. */
  readonly tiers: readonly Fields[];
  readonly scopes: ScopeSettings;
  /** Server time, milliseconds. */
  readonly now: number;
}

export type PlannedEntries =
  | { readonly ok: true; readonly writes: RecordWrite[]; readonly revs: readonly number[] }
  | { readonly ok: false; readonly issue: Issue };

/** null: points of it belong to no program. */
export function accountOf({ user_id: user, program_id: program }: Fields): string | null {
  return program === undefined ? null : `${String(user)}/${String(program)}`;
}

export function planEntries({ account, entries, records, tiers, scopes, now }: LedgerPlan): PlannedEntries {
  const overlay = new RecordOverlay(records, now);
  const revs: number[] = [];
  const change = (collection: string, key: string, fields: Fields): Issue | null => {
    const made = overlay.made({ collection, key, fields }, scopes);
    if (typeof made === 'string') return { field: 'record', reason: made };
    overlay.write(made);
    if (collection === 'points_ledger') revs.push(made.rev);
    return null;
  };
  for (const { key, fields } of entries) {
    const before = live(overlay, 'loyalty_summary', account);
    const issue =
      change('points_ledger', key, fields) ??
      (isInOpening(before, fields) ? null : change('loyalty_summary', account, addToSummary(before, fields)));
    if (issue !== null) return { ok: false, issue };
  }
  const summary = live(overlay, 'loyalty_summary', account);
  const tier = summary === null ? null : tierAfter(tiers, live(overlay, 'slab_state', account), summary);
  const issue = tier === null ? null : change('slab_state', account, tier);
  return issue === null ? { ok: true, writes: overlay.writes(), revs } : { ok: false, issue };
}

function live(records: Seen, collection: string, key: string): Fields | null {
  const record = records.get(collection, key);
  return record === null || record.deleted ? null : record.fields;
}
