import { type Fields, type Issue, equalFields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { Scope } from '../../protocol/feed.ts';
import { openedSummary, refusedEdit } from '../ledger/edits.ts';
import { clockAt } from '../outbox/hybrid-clock.ts';
import type { MainRecord, RecordWrite } from '../ports/record-store.ts';
import { scopesUntilPlaced } from '../working-set/owner.ts';
import { clocksWhenMade } from './field-clocks.ts';
import { leftScopes } from './left-scopes.ts';
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
  /** Of the fields; a deleted record keeps those it had. null: it goes where its customer is. */
  readonly scopes: readonly Scope[] | null;
  /** Of the fields. */
  readonly owner: string | undefined;
  readonly current: MainRecord | null;
  /** Server time, milliseconds. */
  readonly now: number;
}

export type Edit =
  | { readonly outcome: 'unchanged'; readonly rev: number }
  | { readonly outcome: 'rejected'; readonly issues: Issue[] }
  | { readonly outcome: 'write'; readonly write: RecordWrite };

export function decideEdit(brought: EditInput): Edit {
  const issues = refusedEdit(brought);
  if (issues.length > 0) return { outcome: 'rejected', issues };
  const input = { ...brought, fields: asWritten(brought) };
  const { collection, key, fields, current, now } = input;
  const owned = ownerAfter(input);
  const scopes = fields === null ? (current?.scopes ?? []) : (input.scopes ?? scopesUntilPlaced(current, owned.owner));
  if (changesNothing({ fields, scopes, current })) return { outcome: 'unchanged', rev: current?.rev ?? 0 };
  const record: MainRecord = {
    collection: collection.name,
    key,
    rev: Math.max((current?.rev ?? 0) + 1, now),
    scopes,
    deleted: fields === null,
    updatedAt: new Date(now).toISOString(),
    fields: fields ?? {},
    ...owned,
    ...leftScopes(current, scopes, now),
    ...clocksAfter(collection, { fields, current, now }),
  };
  return { outcome: 'write', write: { record, previousRev: current?.rev ?? null } };
}

function asWritten({ collection, fields, current, now }: EditInput): Fields | null {
  if (fields === null || collection.name !== 'loyalty_summary') return fields;
  return openedSummary({ collection, fields, current }, now);
}

/** A tombstone keeps its owner, and a customer the day of its next review. */
function ownerAfter({ collection, fields, current, owner }: EditInput): Pick<MainRecord, 'owner'> {
  const after = fields === null || collection.name === 'customer' ? current?.owner : owner;
  return after === undefined ? {} : { owner: after };
}

/** Head office's edits take part in the merge with what stores change: each field it changes was set now. */
function clocksAfter(
  { rule, key }: Collection,
  { fields, current, now }: Pick<EditInput, 'fields' | 'current' | 'now'>,
): Pick<MainRecord, 'clocks'> {
  if (fields === null || !MERGED.has(rule)) return {};
  if (current === null || current.deleted) return { clocks: clocksWhenMade(clockAt(now)) };
  const names = new Set([...Object.keys(fields), ...Object.keys(current.fields)]);
  const changed = [...names].filter((name) => !key.includes(name) && fields[name] !== current.fields[name]);
  return { clocks: { ...current.clocks, ...Object.fromEntries(changed.map((name) => [name, clockAt(now)])) } };
}

function changesNothing({
  fields,
  scopes,
  current,
}: Pick<EditInput, 'fields' | 'current'> & { readonly scopes: readonly Scope[] }): boolean {
  if (current === null || current.deleted) return fields === null;
  return fields !== null && equalFields(current.fields, fields) && equalScopes(current.scopes, scopes);
}
