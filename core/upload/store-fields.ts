import { type Fields, type FieldValue, parseRecord } from '../../protocol/catalogue/record.ts';
import type { Collection, Field } from '../../protocol/catalogue/types.ts';
import type { AttributeOutcome, OperationValue } from '../../protocol/operation.ts';
import type { Case } from './verdict.ts';

/**
 * A record as a store may make it: what only head office sets is left out, what is no value of its field is left out,
 * and both are said. A record without a field it must have is none.
 */
export type StoreRecord =
  | { readonly ok: true; readonly key: string; readonly fields: Fields; readonly attributes: AttributeOutcome[] }
  | { readonly ok: false; readonly reason: string; readonly attributes: AttributeOutcome[] };

export function storeRecord(collection: Collection, fields: Readonly<Record<string, OperationValue>>, { settings }: Case): StoreRecord {
  const attributes: AttributeOutcome[] = [];
  const kept: Record<string, FieldValue> = {};
  const known = new Map(collection.fields.map((field) => [field.name, field]));
  for (const [name, value] of Object.entries(fields)) {
    const field = known.get(name);
    if (value === null) continue;
    if (field === undefined) attributes.push({ field: name, status: 'INVALID', reason: 'is not a field of this collection' });
    else if (!mayCreateWith(collection, field) || settings.withheld.has(`${collection.name}.${name}`))
      attributes.push({ field: name, status: 'NOT_ALLOWED', reason: 'only head office sets it' });
    else kept[name] = value;
  }
  const first = parseRecord(collection, kept);
  if (first.ok) return { ...first, attributes };
  for (const { field, reason } of first.issues) {
    attributes.push({ field, status: 'INVALID', reason });
    delete kept[field];
  }
  const second = parseRecord(collection, kept);
  if (second.ok) return { ...second, attributes };
  return { ok: false, reason: second.issues.map(({ field, reason }) => `${field} ${reason}`).join('; '), attributes };
}

/** Key fields and what a record must have come with it; other fields of head office do not. */
function mayCreateWith(collection: Collection, field: Field): boolean {
  return field.writer !== 'cloud' || field.required || collection.key.includes(field.name);
}
