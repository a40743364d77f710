import type { Fields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { mergeRecord } from './merge-record.ts';
import { storeRecord } from './store-fields.ts';
import { type Case, type Verdict, conflict, held, isThere, rejected, verdict } from './verdict.ts';

/**
 * Facts: bills, lines, payments, logs, comments. The same key with the same content is the same fact come again; with
 * other content it is a conflict, and what stands stays (INV-18). Fields of a fact that may change later merge.
 */
export function decideFact(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  if (operation.kind === 'delete') return rejected('a fact is never deleted; it is corrected by another one');
  const current = records.get(collection.name, operation.key);
  const record = storeRecord(collection, operation.fields, input);
  if (!record.ok) return isThere(current) ? mergeRecord(collection, input) : rejected(record.reason, record.attributes);
  if (record.key !== operation.key) return rejected('the key is not the one its fields make');
  if (isThere(current)) {
    const differs = differingFacts(collection, current.fields, record.fields);
    if (differs.length > 0)
      return conflict(`the same key with another ${differs.join(', ')} is there already`, [`${collection.name}/${operation.key}`]);
    return mergeRecord(collection, input);
  }
  const owner = record.fields['user_id'];
  if (owner !== undefined && !isThere(records.get('customer', String(owner)))) return held('customer', String(owner));
  return verdict(statusOf(collection, record.attributes.length > 0, owner !== undefined), {
    attributes: record.attributes,
    changes: [{ collection: collection.name, key: record.key, fields: record.fields }],
  });
}

/** Points of a bill are counted by head office's loyalty rules, and come down later. */
function statusOf(collection: Collection, warnings: boolean, hasOwner: boolean): Verdict['status'] {
  if (warnings) return 'ACCEPTED_WITH_WARNINGS';
  return collection.name === 'bill' && hasOwner ? 'ACCEPTED_EFFECTS_PENDING' : 'ACCEPTED';
}

/** Fields that are part of the fact and are not the same. */
export function differingFacts(collection: Collection, current: Fields, next: Fields): string[] {
  return collection.fields
    .filter(({ rule, writer }) => rule === 'AO' && writer !== 'cloud')
    .filter(({ name }) => current[name] !== next[name])
    .map(({ name }) => name);
}
