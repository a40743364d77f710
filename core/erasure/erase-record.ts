import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { idOf } from '../working-set/owner.ts';

/**
 * What becomes of a record when a customer is erased.
 *
 * What describes the person goes: it becomes a tombstone. What the books need stays without the person: bills, points
 * and redemptions keep their amounts, lose every personal field, and name a pseudonym that leads nowhere. What belongs to
 * such a record by its key (lines and payments of a bill, comments of a task) goes the same way.
 */
export interface Person {
  readonly userId: string;
  readonly pseudonym: string;
  /** Keys of records of theirs that others belong to. */
  readonly parents: ReadonlySet<string>;
  /** Tombstones of theirs, as `<collection>/<key>`, that are noted already. */
  readonly noted: ReadonlySet<string>;
}

export type ErasedRecord =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  /** Deleted before: only where it was is of interest. */
  | { readonly kind: 'gone' }
  /** The fields that stay, and whose the record is then. */
  | { readonly kind: 'strip'; readonly fields: Fields; readonly owner: MainRecord['owner'] };

/** Collections whose records belong to one of another collection by the first parts of their key. */
const CHILDREN: Readonly<Record<string, string>> = { bill_line: 'bill', payment: 'bill', task_comment: 'task', task_log: 'task' };

/** Facts the books are kept by. */
const FACTS: ReadonlySet<string> = new Set([
  'bill',
  'bill_line',
  'payment',
  'points_ledger',
  'points_redemption',
  'coupon',
  'coupon_redemption',
]);

/** Fields that name a customer. */
const OWNERS: readonly string[] = ['user_id', 'issued_to'];

export function eraseRecord(record: MainRecord, person: Person): ErasedRecord {
  if (record.deleted) return isTombstoneOf(record, person) ? { kind: 'gone' } : { kind: 'keep' };
  if (!isOf(record, person)) return { kind: 'keep' };
  const collection = collectionOf(record.collection);
  if (!FACTS.has(collection.name)) return { kind: 'delete' };
  const fields = withoutPerson(collection, record.fields, person);
  const owner = ownerWithout(record, person);
  return equalFields(fields, record.fields) && owner === record.owner ? { kind: 'keep' } : { kind: 'strip', fields, owner };
}

/** Whether records of other collections belong to this one by key. */
export function isParent(collection: string): boolean {
  return Object.values(CHILDREN).includes(collection);
}

/** In an order in which parents come before what belongs to them. */
export function erasureOrder(names: readonly string[]): string[] {
  return [...names.filter((name) => CHILDREN[name] === undefined), ...names.filter((name) => CHILDREN[name] !== undefined)];
}

/** Whether it is about the person: it names them, or belongs to one that does. */
export function isOf(
  { collection, key, fields }: { readonly collection: string; readonly key: string; readonly fields: Readonly<Record<string, unknown>> },
  { userId, parents }: Pick<Person, 'userId' | 'parents'>,
): boolean {
  if (OWNERS.some((name) => fields[name] === userId)) return true;
  if (collection === 'custom_field_value') return fields['entity_type'] === 'CUSTOMER' && fields['entity_id'] === userId;
  const parent = CHILDREN[collection];
  return parent !== undefined && parents.has(`${parent}/${key.split('/').slice(0, collectionOf(parent).key.length).join('/')}`);
}

/** A tombstone has no fields: its key has to say whose it was, or its owner. */
function isTombstoneOf(record: MainRecord, { userId, noted }: Person): boolean {
  if (noted.has(idOf(record))) return false;
  const at = collectionOf(record.collection).key.indexOf('user_id');
  const parts = record.key.split('/');
  if (record.collection === 'custom_field_value') return parts[0] === 'CUSTOMER' && parts[1] === userId;
  return at >= 0 ? parts[at] === userId : record.owner === idOf({ collection: 'customer', key: userId });
}

/** The index by owner must not lead from a person to what stays of them, nor back. */
function ownerWithout({ owner }: MainRecord, { userId, pseudonym }: Person): MainRecord['owner'] {
  return owner === idOf({ collection: 'customer', key: userId }) ? idOf({ collection: 'customer', key: pseudonym }) : owner;
}

function withoutPerson(collection: Collection, fields: Fields, { userId, pseudonym }: Person): Fields {
  const kept = collection.fields.filter(({ personalData }) => personalData !== 'personal' && personalData !== 'sensitive');
  return Object.fromEntries(
    kept.flatMap(({ name }) => {
      const value = fields[name];
      if (value === undefined) return [];
      return [[name, OWNERS.includes(name) && value === userId ? pseudonym : value]];
    }),
  );
}
