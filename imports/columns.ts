import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import type { Issue } from '../protocol/catalogue/record.ts';
import type { Collection } from '../protocol/catalogue/types.ts';
import { SyncError } from '../protocol/sync-error.ts';
import type { Mapping } from './mapping.ts';

/** Whether the columns of a file are those that are needed: nothing is dropped silently, nothing is missing silently. */
export function refuseUnfitColumns(
  { collection, mapping }: { readonly collection: string; readonly mapping: Mapping | null },
  columns: readonly string[],
): void {
  if (mapping === null) {
    const fields = collectionOf(collection).fields.map((field) => field.name);
    const unknown = columns.filter((name) => !fields.includes(name));
    if (unknown.length === 0) return;
    throw new SyncError(
      'INVALID_INPUT',
      `${collection} has no field ${unknown.join(', ')}. Name the columns after its fields (${fields.join(', ')}), or give a mapping with --map (docs/import.md).`,
    );
  }
  const missing = columnsOf(mapping).filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new SyncError('INVALID_INPUT', `the mapping needs the columns ${missing.join(', ')}; the file has ${columns.join(', ')}`);
}

/** Rows of NDJSON may differ in what they have, so each is looked at. */
export function unknownFields(collection: Collection, values: Readonly<Record<string, unknown>>): Issue[] {
  return Object.keys(values)
    .filter((name) => !collection.fields.some((field) => field.name === name))
    .map((field) => ({ field, reason: 'is not a field of this collection' }));
}

/** Every column a mapping reads. */
function columnsOf(mapping: Mapping): string[] {
  const columns = new Set<string>();
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const [name, value] of Object.entries(part)) {
      if (name === 'column' && typeof value === 'string') columns.add(value);
      else if (name === 'of' && Array.isArray(value)) for (const column of value) columns.add(String(column));
      else visit(value);
    }
  };
  visit(mapping.targets);
  return [...columns];
}
