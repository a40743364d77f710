import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { findCollection } from '../protocol/catalogue/catalogue.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { formatIssue, isZone } from './local-time.ts';

/**
 * A mapping file: from the columns of a source to records, declared and not programmed. Described for people in
 * docs/import.md; the schema here is what is true.
 */
const column = z.string().min(1);

/** When something applies. Exactly one of the tests beside `column`, or a combination of conditions. */
export type Condition =
  | { column: string; is: 'empty' | 'present' }
  | { column: string; startsWith: string }
  | { column: string; below: number }
  | { column: string; equals: string }
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition };

const conditionSchema: z.ZodType<Condition> = byMark<Condition>('condition', {
  all: () => z.strictObject({ all: z.array(conditionSchema).min(1) }),
  any: () => z.strictObject({ any: z.array(conditionSchema).min(1) }),
  not: () => z.strictObject({ not: conditionSchema }),
  is: () => z.strictObject({ column, is: z.enum(['empty', 'present']) }),
  startsWith: () => z.strictObject({ column, startsWith: z.string().min(1) }),
  below: () => z.strictObject({ column, below: z.number() }),
  equals: () => z.strictObject({ column, equals: z.string() }),
});

/** Where a field's value comes from. An empty source gives no value. */
export type Source =
  | { value: string | number | boolean }
  | { column: string; as?: 'text' | 'id-of-number' | 'integer' | 'boolean' }
  | { column: string; as: 'decimal'; scale: number; sign?: 'keep' | 'flip' | 'drop' }
  | { column: string; as: 'instant'; format: string; zone: string }
  | { column: string; as: 'date'; format: string }
  | { column: string; as: 'code'; codes: Record<string, string> }
  | { cases: { when?: Condition | undefined; use: Source }[] }
  | { object: Record<string, Source> }
  | { identity: { column: string; of: string[] } };

const format = z.string().superRefine((text, context) => {
  const issue = formatIssue(text);
  if (issue !== null) context.addIssue({ code: 'custom', message: issue });
});
const zone = z.string().refine(isZone, 'is no time zone; one is named as in Europe/London');

const columnSchema = z.discriminatedUnion(
  'as',
  [
    z.strictObject({ column, as: z.enum(['text', 'id-of-number', 'integer', 'boolean']).optional() }),
    z.strictObject({
      column,
      as: z.literal('decimal'),
      scale: z.int().min(0).max(9),
      sign: z.enum(['keep', 'flip', 'drop']).default('keep'),
    }),
    z.strictObject({ column, as: z.literal('instant'), format, zone }),
    z.strictObject({ column, as: z.literal('date'), format }),
    z.strictObject({ column, as: z.literal('code'), codes: z.record(z.string(), z.string()) }),
  ],
  { error: 'is text (or left out), id-of-number, integer, boolean, decimal, instant, date or code' },
) as z.ZodType<Source>;

const sourceSchema: z.ZodType<Source> = byMark<Source>('source of a value', {
  value: () => z.strictObject({ value: z.union([z.string(), z.number(), z.boolean()]) }),
  cases: () => z.strictObject({ cases: z.array(z.strictObject({ when: conditionSchema.optional(), use: sourceSchema })).min(1) }),
  object: () => z.strictObject({ object: z.record(z.string(), sourceSchema) }),
  identity: () => z.strictObject({ identity: z.strictObject({ column, of: z.array(column).min(1) }) }),
  column: () => columnSchema,
});

/** The form whose mark is there judges the rest, so that a mistake is told where it is and not as "none of these fits". */
function byMark<T>(what: string, forms: Readonly<Record<string, () => z.ZodType<T>>>): z.ZodType<T> {
  return z.unknown().transform((input, context): T => {
    const present = typeof input === 'object' && input !== null ? input : {};
    const mark = Object.keys(forms).find((name) => Object.hasOwn(present, name));
    const parsed = mark === undefined ? undefined : forms[mark]?.().safeParse(input);
    if (parsed?.success === true) return parsed.data;
    const issues = parsed?.error.issues ?? [{ message: `is no ${what}: it has none of ${Object.keys(forms).join(', ')}`, path: [] }];
    for (const { message, path } of issues) context.addIssue({ code: 'custom', message, path: [...path] });
    return z.NEVER;
  });
}

const mappingSchema = z.strictObject({
  description: z.string().optional(),
  /** Attribution and licence of the source, where it has one. */
  attribution: z.string().optional(),
  targets: z
    .array(
      z.strictObject({
        collection: z.string(),
        /** Rows for which the target makes no record otherwise. */
        when: conditionSchema.optional(),
        fields: z.record(z.string(), sourceSchema),
      }),
    )
    .min(1),
});
export type Mapping = z.infer<typeof mappingSchema>;

export function readMapping(file: string, collection: string): Mapping {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `the mapping file ${file} cannot be read`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', `the mapping file ${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = mappingSchema.safeParse(json);
  if (!parsed.success) throw new SyncError('INVALID_INPUT', `the mapping file ${file} is not a mapping:\n${z.prettifyError(parsed.error)}`);
  checkTargets(file, parsed.data, collection);
  return parsed.data;
}

function checkTargets(file: string, mapping: Mapping, wanted: string): void {
  for (const target of mapping.targets) {
    const collection = findCollection(target.collection);
    if (collection === undefined) throw new SyncError('INVALID_INPUT', `${file}: there is no collection ${target.collection}`);
    for (const name of Object.keys(target.fields)) {
      if (!collection.fields.some((field) => field.name === name))
        throw new SyncError('INVALID_INPUT', `${file}: ${target.collection} has no field ${name}`);
    }
  }
  const makers = mapping.targets.filter((target) => target.collection === wanted).length;
  if (makers > 1) throw new SyncError('INVALID_INPUT', `${file}: one target makes ${wanted}, with cases inside; there are ${makers}`);
  if (makers === 0) {
    throw new SyncError(
      'INVALID_INPUT',
      `${file} makes no ${wanted}, only ${mapping.targets.map((target) => target.collection).join(', ')}`,
    );
  }
}
