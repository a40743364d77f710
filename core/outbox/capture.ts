import { must } from '../../protocol/assert.ts';
import { componentStatus, components, findCollection, isDeletedByStores } from '../../protocol/catalogue/catalogue.ts';
import { checkRecord } from '../../protocol/catalogue/record-checks.ts';
import { type Fields, type FieldValue, type Issue, keyIssue, keyOf, parseRecord, recordSchema } from '../../protocol/catalogue/record.ts';
import type { Collection, ConflictRule, Edition, Field } from '../../protocol/catalogue/types.ts';
import { valueSchema } from '../../protocol/catalogue/values.ts';
import type { ErrorCodeName } from '../../protocol/error-codes.ts';
import type { OperationValue } from '../../protocol/operation.ts';
import type { RecordView } from './overlay.ts';

/**
 * A write of the store's user: the operation it is, or why it is none.
 *
 * Checked here is what can be known without head office, so that the cashier hears of it and not a list of exceptions.
 * Of records that both sides change only what differs from what the user saw is sent, so that a change of another field
 * at another store is not undone by a copy that was old. Facts go whole, because they are compared whole.
 */
export interface StoreTerms {
  /** null: head office was never asked; it decides. */
  readonly edition: Edition | null;
  /** `collection.field` names that this organization does not share with stores. */
  readonly withheld: readonly string[];
}

export interface Refusal {
  readonly outcome: 'refused';
  readonly code: ErrorCodeName;
  readonly issues: readonly Issue[];
}

export type Writable = { readonly outcome: 'writable'; readonly collection: Collection } | Refusal;

export type Captured =
  | {
      readonly outcome: 'write';
      readonly kind: 'put' | 'delete';
      readonly key: string;
      readonly fields: Readonly<Record<string, OperationValue>>;
      readonly base: number;
    }
  /** The user saw the same. */
  | { readonly outcome: 'unchanged'; readonly key: string }
  | Refusal;

/** Whether a store of this edition writes such records at all. */
export function writableCollection(name: string, { edition }: Pick<StoreTerms, 'edition'>): Writable {
  const collection = findCollection(name);
  if (collection === undefined) {
    const idle = components.find((component) => !component.used && snakeCase(component.name) === name);
    if (idle !== undefined) return refused('COMPONENT_NOT_USED', 'collection', `${idle.name} is not used`);
    return refused('UNKNOWN_COLLECTION', 'collection', `there is no collection ${JSON.stringify(name)}`);
  }
  const component = components.find((known) => known.name === collection.component);
  if (component !== undefined && edition !== null && componentStatus(component, edition) !== 'ENABLED')
    return refused('COMPONENT_NOT_ENABLED', 'collection', `${component.name} is not enabled for this store`);
  if (collection.direction === 'down') return refused('INVALID_INPUT', 'collection', `${name} is written by head office only`);
  return { outcome: 'writable', collection };
}

/** The key of a record as the user gave it. */
export function recordKey(collection: Collection, record: unknown): { readonly outcome: 'key'; readonly key: string } | Refusal {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return refused('INVALID_INPUT', 'record', 'must be an object');
  const given = record as Readonly<Record<string, unknown>>;
  const fields: Record<string, FieldValue> = {};
  const issues: Issue[] = [];
  for (const name of collection.key) {
    const field = collection.fields.find((known) => known.name === name);
    const parsed = valueSchema(must(field, `${collection.name} has its key ${name}`).type).safeParse(given[name]);
    if (parsed.success) fields[name] = parsed.data;
    else
      issues.push({ field: name, reason: given[name] === undefined ? 'is required' : (parsed.error.issues[0]?.message ?? 'is not valid') });
  }
  if (issues.length > 0) return { outcome: 'refused', code: 'INVALID_INPUT', issues };
  const key = keyOf(collection, fields);
  const issue = keyIssue(key);
  return issue === null ? { outcome: 'key', key } : { outcome: 'refused', code: 'INVALID_INPUT', issues: [issue] };
}

export interface PutInput {
  readonly collection: Collection;
  /** Fields that are named are set, null takes one away, those that are not named stay. */
  readonly record: Readonly<Record<string, unknown>>;
  readonly seen: RecordView;
  readonly terms: StoreTerms;
}

const FACTS: ReadonlySet<ConflictRule> = new Set<ConflictRule>(['AO', 'RC', 'GS']);
const SET_BY_HEAD_OFFICE: ReadonlySet<ConflictRule> = new Set<ConflictRule>(['CW', 'CD', 'RC']);
const SET_ONCE: ReadonlySet<ConflictRule> = new Set<ConflictRule>(['AO', 'FL1']);

export function capturePut({ collection, record, seen, terms }: PutInput): Captured {
  const { fields: before } = seen;
  const given = before === null ? wholeRecord(collection, record) : changesOf(collection, record, before);
  if (given.outcome === 'refused') return given;
  const issues = Object.keys(given.changes).flatMap((name) => fieldIssue(collection, name, { before, terms }));
  if (issues.length > 0) return { outcome: 'refused', code: 'INVALID_INPUT', issues };
  const { key, changes } = given;
  if (Object.keys(changes).length === 0) return { outcome: 'unchanged', key };
  const after = merged(before ?? {}, changes);
  const wrong = [...checkRecord(collection, after), ...missing(collection, after)];
  if (wrong.length > 0) return { outcome: 'refused', code: 'INVALID_INPUT', issues: wrong };
  const whole = FACTS.has(collection.rule) || before === null;
  const fields = whole ? Object.fromEntries(Object.entries(after).filter(([name]) => mayMake(collection, name))) : changes;
  return { outcome: 'write', kind: 'put', key, fields, base: seen.base };
}

/** Facts, consent and people are never deleted by a store. */
export function captureDelete(collection: Collection, key: string, seen: RecordView): Captured {
  const issue = keyIssue(key);
  if (issue !== null) return { outcome: 'refused', code: 'INVALID_INPUT', issues: [issue] };
  if (!isDeletedByStores(collection)) return refused('INVALID_INPUT', 'record', `only head office deletes a ${collection.name}`);
  if (seen.fields === null) return { outcome: 'unchanged', key };
  return { outcome: 'write', kind: 'delete', key, fields: {}, base: seen.base };
}

type Given = { readonly outcome: 'given'; readonly key: string; readonly changes: Readonly<Record<string, FieldValue | null>> } | Refusal;

function wholeRecord(collection: Collection, record: Readonly<Record<string, unknown>>): Given {
  const parsed = parseRecord(collection, record);
  if (!parsed.ok) return { outcome: 'refused', code: 'INVALID_INPUT', issues: parsed.issues };
  return { outcome: 'given', key: parsed.key, changes: parsed.fields };
}

function changesOf(collection: Collection, record: Readonly<Record<string, unknown>>, before: Fields): Given {
  const address = recordKey(collection, record);
  if (address.outcome === 'refused') return address;
  const empty = Object.keys(record).filter((name) => record[name] === null || record[name] === '');
  const unknown = empty.filter((name) => !collection.fields.some((field) => field.name === name));
  const present = Object.fromEntries(Object.entries(record).filter(([name, value]) => value !== undefined && !empty.includes(name)));
  const parsed = recordSchema(collection).partial().safeParse(present);
  const issues = [
    ...unknown.map((field) => ({ field, reason: 'is not a field of this collection' })),
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue): Issue[] => issuesOf(issue))),
  ];
  if (!parsed.success || issues.length > 0) return { outcome: 'refused', code: 'INVALID_INPUT', issues };
  const named = { ...(parsed.data as Fields), ...Object.fromEntries(empty.map((name): [string, null] => [name, null])) };
  const changes = Object.entries(named).filter(([name, value]) => (before[name] ?? null) !== value);
  return { outcome: 'given', key: address.key, changes: Object.fromEntries(changes) };
}

function issuesOf(issue: {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: unknown;
}) {
  if (issue.code === 'unrecognized_keys')
    return (issue.keys as string[]).map((field) => ({ field, reason: 'is not a field of this collection' }));
  return [{ field: issue.path.map(String).join('.') || 'record', reason: issue.message }];
}

function fieldIssue(
  collection: Collection,
  name: string,
  { before, terms }: { readonly before: Fields | null; readonly terms: StoreTerms },
): Issue[] {
  const field = collection.fields.find((known) => known.name === name);
  if (field === undefined) return [{ field: name, reason: 'is not a field of this collection' }];
  if (terms.withheld.includes(`${collection.name}.${name}`)) return [{ field: name, reason: 'is not shared with stores' }];
  const makes = before === null && mayMake(collection, name);
  if (!makes && isHeadOffices(field)) return [{ field: name, reason: 'is set by head office only' }];
  if (SET_ONCE.has(field.rule) && before?.[name] !== undefined) return [{ field: name, reason: 'is set once and has another value' }];
  return [];
}

function isHeadOffices({ writer, rule }: Field): boolean {
  return writer === 'cloud' || SET_BY_HEAD_OFFICE.has(rule);
}

/** A record comes with its key and with what it must have, whoever sets that later. */
function mayMake(collection: Collection, name: string): boolean {
  const field = collection.fields.find((known) => known.name === name);
  return field !== undefined && (field.writer !== 'cloud' || field.required || collection.key.includes(name));
}

function missing(collection: Collection, fields: Fields): Issue[] {
  return collection.fields
    .filter(({ name, required }) => required && fields[name] === undefined)
    .map(({ name }) => ({ field: name, reason: 'is required' }));
}

function merged(before: Fields, changes: Readonly<Record<string, FieldValue | null>>): Fields {
  const entries = Object.entries({ ...before, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, FieldValue] => entry[1] !== null));
}

function snakeCase(name: string): string {
  return name.toLowerCase().replaceAll(' ', '_');
}

function refused(code: ErrorCodeName, field: string, reason: string): Refusal {
  return { outcome: 'refused', code, issues: [{ field, reason }] };
}
