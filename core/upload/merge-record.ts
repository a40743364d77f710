import { isDeletedByStores } from '../../protocol/catalogue/catalogue.ts';
import { type FieldValue, parseRecord } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { AttributeOutcome, OperationValue } from '../../protocol/operation.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { clocksWhenMade, fieldClock } from '../records/field-clocks.ts';
import { type FieldMerge, mergeField } from './merge-field.ts';
import { storeRecord } from './store-fields.ts';
import { type Case, type Lost, type Verdict, held, isThere, rejected, verdict } from './verdict.ts';

/**
 * Records that stores and head office both change: field by field, the later change stays. A record that is not there
 * yet is made if the operation has all it needs, and waited for otherwise.
 */
export function decideMerge(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  const current = records.get(collection.name, operation.key);
  if (operation.kind === 'delete') return decideDelete(collection, current, operation.key);
  if (isThere(current)) return mergeRecord(collection, input);
  // What was deleted at head office stays deleted, whatever a store changed before it knew.
  if (current !== null && operation.base > 0) return verdict('SUPERSEDED', { reason: 'the record was deleted at head office' });
  return create(collection, input);
}

function decideDelete(collection: Collection, current: MainRecord | null, key: string): Verdict {
  if (!isDeletedByStores(collection)) return rejected('only head office deletes such a record');
  if (!isThere(current)) return verdict('DUPLICATE', { reason: 'it is deleted already' });
  return verdict('ACCEPTED', { changes: [{ collection: collection.name, key, fields: null }] });
}

export function create(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  const record = storeRecord(collection, operation.fields, input);
  if (!record.ok) return operation.base > 0 ? held(collection.name, operation.key) : rejected(record.reason, record.attributes);
  if (record.key !== operation.key) return rejected('the key is not the one its fields make');
  const owner = record.fields['user_id'];
  if (collection.name !== 'customer' && owner !== undefined && !isThere(records.get('customer', String(owner))))
    return held('customer', String(owner));
  return verdict(record.attributes.length > 0 ? 'ACCEPTED_WITH_WARNINGS' : 'ACCEPTED', {
    attributes: record.attributes,
    changes: [{ collection: collection.name, key: record.key, fields: record.fields, clocks: clocksWhenMade(operation.clock) }],
  });
}

interface Merge {
  readonly fields: Record<string, FieldValue>;
  readonly clocks: Record<string, number>;
  readonly attributes: AttributeOutcome[];
  readonly lost: Lost[];
  /** Fields that were changed, or confirmed later than they were set. */
  set: number;
}

/** Into a record that is there. */
export function mergeRecord(collection: Collection, input: Case): Verdict {
  const { operation, records, settings } = input;
  const current = records.get(collection.name, operation.key) as MainRecord;
  const isSeen = operation.base === current.rev;
  const merge: Merge = { fields: { ...current.fields }, clocks: { ...current.clocks }, attributes: [], lost: [], set: 0 };
  for (const [name, value] of Object.entries(operation.fields)) {
    const field = collection.fields.find((known) => known.name === name);
    if (field === undefined) merge.attributes.push({ field: name, status: 'INVALID', reason: 'is not a field of this collection' });
    else if (settings.withheld.has(`${collection.name}.${name}`))
      merge.attributes.push({ field: name, status: 'NOT_ALLOWED', reason: 'this organization does not share it with stores' });
    else if (!collection.key.includes(name)) {
      const standing = { value: current.fields[name] ?? null, clock: fieldClock(current, name) };
      // Whoever saw what stands changed it after, whatever the two clocks say.
      const clock = isSeen ? Math.max(operation.clock, standing.clock + 1) : operation.clock;
      take(
        merge,
        { name, value, clock, kept: standing.value },
        mergeField({ collection, field, current: standing, change: { value, clock } }),
      );
    }
  }
  return conclude(collection, input, { current, merge });
}

function take(
  merge: Merge,
  { name, value, clock, kept }: { name: string; value: OperationValue; clock: number; kept: OperationValue },
  merged: FieldMerge,
): void {
  if (merged.outcome === 'same') {
    if (!merged.isConfirmed) return;
    merge.clocks[name] = clock;
    merge.set += 1;
    return;
  }
  if (merged.outcome === 'kept') {
    merge.attributes.push(merged.attribute);
    merge.lost.push({ field: name, lost: value, kept });
    return;
  }
  if (merged.value === null) delete merge.fields[name];
  else merge.fields[name] = merged.value;
  merge.clocks[name] = clock;
  merge.set += 1;
  // The value that goes is worth as much to an audit as one that never came.
  if (kept !== null) merge.lost.push({ field: name, lost: kept, kept: merged.value });
}

function conclude(collection: Collection, { operation }: Case, { current, merge }: { current: MainRecord; merge: Merge }): Verdict {
  const { attributes, lost, clocks } = merge;
  const refused = attributes.filter(({ status }) => status !== 'CLOUD_OVERRIDDEN');
  if (merge.set === 0) {
    if (attributes.length === 0) return verdict('DUPLICATE');
    if (refused.length === attributes.length) return rejected('nothing of it may be set by a store', attributes);
    return verdict('SUPERSEDED', { reason: 'somebody changed it later', attributes, lost });
  }
  const checked = parseRecord(collection, merge.fields);
  if (!checked.ok) {
    const invalid = checked.issues.map(({ field, reason }): AttributeOutcome => ({ field, status: 'INVALID', reason }));
    return rejected(checked.issues.map(({ field, reason }) => `${field} ${reason}`).join('; '), invalid);
  }
  const status =
    refused.length > 0 ? 'ACCEPTED_WITH_WARNINGS' : attributes.length > 0 || current.rev !== operation.base ? 'MERGED' : 'ACCEPTED';
  return verdict(status, {
    attributes,
    lost,
    changes: [{ collection: collection.name, key: operation.key, fields: checked.fields, clocks }],
  });
}
