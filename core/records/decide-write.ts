import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { Scope } from '../../protocol/feed.ts';
import type { MainRecord, RecordWrite } from '../ports/record-store.ts';

/**
 * One head-office edit: what main data becomes, or that it stays as it is.
 *
 * `rev` is max(previous + 1, server milliseconds), so it never goes down, not even for a key that was deleted and
 * comes again (INV-07). A write that changes nothing is no write: it would make a page for nothing.
 */
export interface EditInput {
  readonly collection: Collection;
  readonly key: string;
  /** null: delete. */
  readonly fields: Fields | null;
  readonly current: MainRecord | null;
  /** Server time, milliseconds. */
  readonly now: number;
}

export type Edit = { readonly outcome: 'unchanged'; readonly rev: number } | { readonly outcome: 'write'; readonly write: RecordWrite };

export function decideEdit({ collection, key, fields, current, now }: EditInput): Edit {
  if (fields === null) {
    if (current === null || current.deleted) return { outcome: 'unchanged', rev: current?.rev ?? 0 };
  } else if (current !== null && !current.deleted && equalFields(current.fields, fields)) {
    return { outcome: 'unchanged', rev: current.rev };
  }
  const record: MainRecord = {
    collection: collection.name,
    key,
    rev: Math.max((current?.rev ?? 0) + 1, now),
    scope: fields === null ? (current as MainRecord).scope : scopeOf(collection, fields),
    deleted: fields === null,
    updatedAt: new Date(now).toISOString(),
    fields: fields ?? {},
  };
  return { outcome: 'write', write: { record, previousRev: current?.rev ?? null } };
}

/** The scope a record belongs to, by the catalogue's rule and the record's own field. */
export function scopeOf(collection: Collection, fields: Fields): Scope {
  const rule = collection.scope;
  return rule.by === 'org' ? 'org' : `${rule.by}:${String(fields[rule.field])}`;
}
