import type { Fields } from '../../protocol/catalogue/record.ts';
import { type ScopeSettings, scopeRuleOf } from '../../protocol/catalogue/scopes.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { Scope } from '../../protocol/feed.ts';
import { storeOfOrphan } from '../working-set/owner.ts';

/**
 * The scopes a record belongs to, by the organization's rule and the record's own field.
 *
 * A record that does not say which zone or store it belongs to has no scope to be in: it is refused, not guessed (INV-08).
 */
export type RecordScopes =
  /** `scopes` null: it goes where its customer is, which is worked out later. */
  | { readonly ok: true; readonly scopes: readonly Scope[] | null }
  | { readonly ok: false; readonly issue: { readonly field: string; readonly reason: string } };

export function recordScopes(collection: Collection, fields: Fields, settings: ScopeSettings): RecordScopes {
  const rule = scopeRuleOf(collection, settings);
  if (rule.by === 'org') return { ok: true, scopes: ['org'] };
  if (rule.by === 'working-set') {
    const store = storeOfOrphan({ collection: collection.name, fields });
    return { ok: true, scopes: store === null ? null : [`store:${store}`] };
  }
  const value = fields[rule.field];
  if (value === undefined)
    return { ok: false, issue: { field: rule.field, reason: `is required: this organization keeps ${collection.name} by ${rule.by}` } };
  return { ok: true, scopes: [`${rule.by}:${String(value)}`] };
}

export function equalScopes(a: readonly Scope[], b: readonly Scope[]): boolean {
  return a.length === b.length && a.every((scope, index) => scope === b[index]);
}
