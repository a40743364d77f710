import * as z from 'zod';
import type { WireValue } from '../sections.ts';
import { must } from '../assert.ts';
import { limits } from '../limits.ts';
import { valueFields } from './catalogue.ts';
import { checkRecord } from './record-checks.ts';
import type { Collection, Field } from './types.ts';
import { valueSchema } from './values.ts';

/** Records as the catalogue knows them: validated, canonical, and to and from the wire. */
export type FieldValue = string | number | boolean;
/** A field that is absent has no value; there is no null and no empty text. */
export type Fields = Readonly<Record<string, FieldValue>>;

export interface Issue {
  readonly field: string;
  readonly reason: string;
}

export type ParsedRecord =
  | { readonly ok: true; readonly key: string; readonly fields: Fields }
  | { readonly ok: false; readonly issues: Issue[] };

const schemas = new Map<string, z.ZodObject>();

/** Strict: a field the catalogue does not name is refused. */
export function recordSchema(collection: Collection): z.ZodObject {
  let schema = schemas.get(collection.name);
  if (schema === undefined) {
    const shape = collection.fields.map((field): [string, z.ZodType] => {
      const value = valueSchema(field.type);
      return [field.name, field.required ? value : value.optional()];
    });
    schema = z.strictObject(Object.fromEntries(shape));
    schemas.set(collection.name, schema);
  }
  return schema;
}

/** null, undefined and '' count as absent. Fields come out in catalogue order. */
export function parseRecord(collection: Collection, input: unknown): ParsedRecord {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { ok: false, issues: [{ field: 'record', reason: 'must be an object' }] };
  }
  const present = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null && value !== undefined && value !== ''));
  const parsed = recordSchema(collection).safeParse(present);
  if (!parsed.success) return { ok: false, issues: parsed.error.issues.flatMap((issue) => toIssues(issue, present)) };
  const fields = parsed.data as Fields;
  const issues = checkRecord(collection, fields);
  if (issues.length > 0) return { ok: false, issues };
  const key = keyOf(collection, fields);
  const issue = keyIssue(key);
  return issue === null ? { ok: true, key, fields } : { ok: false, issues: [issue] };
}

export function keyIssue(key: string): Issue | null {
  const parsed = keySchema.safeParse(key);
  return parsed.success ? null : { field: 'key', reason: parsed.error.issues[0]?.message ?? 'is not valid' };
}

function toIssues(issue: z.core.$ZodIssue, present: Record<string, unknown>): Issue[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ field, reason: 'is not a field of this collection' }));
  const field = issue.path.map(String).join('.') || 'record';
  return [{ field, reason: field in present ? issue.message : 'is required' }];
}

/** What `keyOf` can make: a key of another form belongs to no record, and the database may refuse it. */
export const keySchema = z
  .string()
  .min(1, 'is empty')
  .regex(/^[!-~]*$/, 'must be printable ASCII without blanks')
  .max(limits.keyBytesMax, `has more than ${limits.keyBytesMax} bytes`);

/** Printable ASCII, so that every byte order is the same; parts are joined with `/`, which no part contains. */
export function keyOf(collection: Collection, fields: Fields): string {
  return collection.key
    .map((name) => {
      const value = String(fields[name]);
      return fieldOf(collection, name).type.kind === 'text' ? encodeURIComponent(value) : value;
    })
    .join('/');
}

export function equalFields(a: Fields, b: Fields): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Values in the order of `valueFields`. */
export function toWire(collection: Collection, fields: Fields): WireValue[] {
  return valueFields(collection).map((field) => {
    const value = fields[field.name];
    if (value === undefined) return null;
    return typeof value === 'boolean' ? Number(value) : value;
  });
}

/** What `toWire` made, in any column order. Columns this version does not know come back as `extra`. */
export function fromWire(
  collection: Collection,
  key: string,
  wire: { readonly columns: readonly string[]; readonly values: readonly WireValue[] },
): { fields: Fields; extra: Readonly<Record<string, WireValue>> } {
  const values = new Map(wire.columns.map((name, index) => [name, wire.values[index] ?? null]));
  const fields: Record<string, FieldValue> = {};
  for (const field of collection.fields) {
    const value = isSoleKey(collection, field) ? soleKeyValue(field, key) : (values.get(field.name) ?? null);
    values.delete(field.name);
    if (value !== null) fields[field.name] = field.type.kind === 'boolean' ? value === 1 : value;
  }
  return { fields, extra: Object.fromEntries([...values].filter(([, value]) => value !== null)) };
}

function isSoleKey(collection: Collection, field: Field): boolean {
  return collection.key.length === 1 && collection.key[0] === field.name;
}

function soleKeyValue(field: Field, key: string): FieldValue {
  if (field.type.kind === 'text') return decodeURIComponent(key);
  return field.type.kind === 'integer' ? Number(key) : key;
}

function fieldOf(collection: Collection, name: string): Field {
  return must(
    collection.fields.find((field) => field.name === name),
    `${collection.name} has no field ${name}`,
  );
}
