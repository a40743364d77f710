import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { Fields } from '../../protocol/catalogue/record.ts';
import { type ScopeSettings, scopeRuleOf } from '../../protocol/catalogue/scopes.ts';
import type { Scope } from '../../protocol/feed.ts';
import type { MainRecord } from '../ports/record-store.ts';

/**
 * Whose record it is, where an organization keeps customers by working set: what is of a customer is in the stores of
 * that customer, what is of a bill in those of the bill.
 *
 * An owner is named `<collection>/<key>`, as it stands in the records table's index `owner`.
 */
type Placed = Pick<MainRecord, 'collection' | 'key' | 'fields'>;

/** Collections that others belong to. */
const OWNERS: ReadonlySet<string> = new Set(['customer', 'bill']);

export function isByWorkingSet(collection: string, settings: ScopeSettings): boolean {
  return scopeRuleOf(collectionOf(collection), settings).by === 'working-set';
}

/** null: it is kept by no owner. */
export function ownerOf({ collection, key, fields }: Placed, settings: ScopeSettings): string | null {
  if (!isByWorkingSet(collection, settings) || collection === 'customer') return null;
  const userId = fields['user_id'];
  if (userId !== undefined) return `customer/${String(userId)}`;
  const billKey = collectionOf('bill').key;
  const isOfBill = collection !== 'bill' && billKey.every((name, index) => collectionOf(collection).key[index] === name);
  return isOfBill ? `bill/${key.split('/').slice(0, billKey.length).join('/')}` : null;
}

export function isOwner(collection: string): boolean {
  return OWNERS.has(collection);
}

/** The store of a bill that has no customer: it is nobody else's. */
export function storeOfOrphan({ collection, fields }: Pick<Placed, 'collection' | 'fields'>): string | null {
  const store = fields['store_code'];
  return collection === 'bill' && fields['user_id'] === undefined && typeof store === 'string' ? store : null;
}

export function splitId(id: string): { collection: string; key: string } {
  const at = id.indexOf('/');
  return { collection: id.slice(0, at), key: id.slice(at + 1) };
}

export function idOf({ collection, key }: Pick<MainRecord, 'collection' | 'key'>): string {
  return `${collection}/${key}`;
}

/** Where a record waits to be placed: where it was, if that was for the same owner. Otherwise in no store (INV-08). */
export function scopesUntilPlaced(standing: MainRecord | null, owner: string | undefined): readonly Scope[] {
  return standing === null || standing.deleted || standing.owner !== owner ? [] : standing.scopes;
}

/** The owner that a write leaves: of its fields; a tombstone, and a customer with the day of its next review, keep what stands. */
export function ownerAfter(
  fields: Fields | null,
  { collection, key, standing }: { readonly collection: string; readonly key: string; readonly standing: string | undefined },
  settings: ScopeSettings,
): Pick<MainRecord, 'owner'> {
  const owner = fields === null || collection === 'customer' ? standing : (ownerOf({ collection, key, fields }, settings) ?? undefined);
  return owner === undefined ? {} : { owner };
}
