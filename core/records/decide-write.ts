import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { Scope } from '../../protocol/feed.ts';
import { clockAt } from '../outbox/hybrid-clock.ts';
import type { MainRecord, RecordWrite } from '../ports/record-store.ts';
import { equalScopes } from './record-scopes.ts';

/**
 * One head-office edit: what main data becomes, or that it stays as it is.
 *
 * `rev` is max(previous + 1, server milliseconds), so it never goes down, not even for a key that was deleted and
 * comes again (INV-07). A write that changes nothing is no write: it would make a page for nothing.
 */
const MERGED = new Set<Collection['rule']>(['FL', 'SM', 'MP', 'IC']);

export interface EditInput {
  readonly collection: Collection;
  readonly key: string;
  /** null: delete. */
  readonly fields: Fields | null;
  /** Of the fields; a deleted record keeps those it had. */
  readonly scopes: readonly Scope[];
  readonly current: MainRecord | null;
  /** Server time, milliseconds. */
  readonly now: number;
}

export type Edit = { readonly outcome: 'unchanged'; readonly rev: number } | { readonly outcome: 'write'; readonly write: RecordWrite };

export function decideEdit({ collection, key, fields, scopes, current, now }: EditInput): Edit {
  if (changesNothing({ fields, scopes, current })) return { outcome: 'unchanged', rev: current?.rev ?? 0 };
  const record: MainRecord = {
    collection: collection.name,
    key,
    rev: Math.max((current?.rev ?? 0) + 1, now),
    scopes: fields === null ? (current as MainRecord).scopes : scopes,
    deleted: fields === null,
    updatedAt: new Date(now).toISOString(),
    fields: fields ?? {},
    ...clocksAfter(collection, { fields, current, now }),
  };
  return { outcome: 'write', write: { record, previousRev: current?.rev ?? null } };
}

/** Head office's edits take part in the merge with what stores change: each field it changes was set now. */
function clocksAfter(
  { rule, key }: Collection,
  { fields, current, now }: Pick<EditInput, 'fields' | 'current' | 'now'>,
): Pick<MainRecord, 'clocks'> {
  if (fields === null || current === null || !MERGED.has(rule)) return {};
  const names = new Set([...Object.keys(fields), ...Object.keys(current.fields)]);
  const changed = [...names].filter((name) => !key.includes(name) && fields[name] !== current.fields[name]);
  return { clocks: { ...current.clocks, ...Object.fromEntries(changed.map((name) => [name, clockAt(now)])) } };
}

function changesNothing({ fields, scopes, current }: Pick<EditInput, 'fields' | 'scopes' | 'current'>): boolean {
  if (current === null || current.deleted) return fields === null;
  return fields !== null && equalFields(current.fields, fields) && equalScopes(current.scopes, scopes);
}
