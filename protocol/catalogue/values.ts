import * as z from 'zod';
import type { FieldType } from './types.ts';

/**
 * For each field type the schema that validates a value and brings it to its one canonical form, so that equal values
 * are equal text. The forms are documented at `FieldType`.
 */
const DEPTH_MAX = 16;
const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d+))?$/;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

export function valueSchema(type: FieldType): z.ZodType<string | number | boolean> {
  switch (type.kind) {
    case 'id':
      return z.string().regex(/^[!-.0-~]{1,200}$/, 'must be 1 to 200 printable ASCII characters without blank or slash');
    case 'text':
      return z
        .string()
        .refine((value) => value.isWellFormed() && !value.includes('\0'), 'is not well-formed text')
        .transform((value) => value.normalize('NFC'))
        .pipe(z.string().max(type.maxLength, `has more than ${type.maxLength} characters`));
    case 'integer':
      return z.int('must be a whole number');
    case 'decimal':
      return canonical((value) => canonicalDecimal(value, type.scale));
    case 'money':
      return canonical((value) => canonicalDecimal(value, 4));
    case 'instant':
      return canonical(canonicalInstant);
    case 'date':
      return canonical(canonicalDate);
    case 'zone':
      return z.string().refine(isZone, 'must be an IANA time zone such as Europe/London');
    case 'currency':
      return z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as GBP');
    case 'boolean':
      return z.boolean('must be true or false');
    case 'enum':
      return type.open === true
        ? z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/, `must be one of ${type.values.join(', ')} or another upper-case code`)
        : z.enum(type.values as [string, ...string[]], `must be one of ${type.values.join(', ')}`);
    case 'json':
      return z.unknown().transform((value, context): string => {
        const result = canonicalJson(value, type.maxLength);
        if ('reason' in result) {
          context.addIssue({ code: 'custom', message: result.reason });
          return z.NEVER;
        }
        return result.text;
      });
  }
}

type Canonical = { readonly text: string } | { readonly reason: string };

function canonical(convert: (value: string) => Canonical): z.ZodType<string> {
  return z.string('must be text').transform((value, context): string => {
    const result = convert(value);
    if ('text' in result) return result.text;
    context.addIssue({ code: 'custom', message: result.reason });
    return z.NEVER;
  });
}

function canonicalDecimal(value: string, scale: number): Canonical {
  const match = DECIMAL.exec(value);
  if (match === null) return { reason: 'must be a decimal such as 12.50, with at most 15 digits before the point' };
  const whole = (match[2] ?? '').replace(/^0+(?=\d)/, '');
  const fraction = (match[3] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) return { reason: `has more than ${scale} digits after the point` };
  const unsigned = fraction === '' ? whole : `${whole}.${fraction}`;
  return { text: match[1] === '-' && unsigned !== '0' ? `-${unsigned}` : unsigned };
}

function canonicalInstant(value: string): Canonical {
  const ms = RFC3339.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms) || !isDay(value.slice(0, 10))) return { reason: 'must be RFC 3339 with an offset, such as 2026-11-23T08:00:00Z' };
  return { text: new Date(ms).toISOString().replace('.000Z', 'Z') };
}

function canonicalDate(value: string): Canonical {
  return isDay(value) ? { text: value } : { reason: 'must be a calendar day such as 2026-11-23' };
}

function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const ms = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value);
}

const knownZones = new Map<string, boolean>();

/** Asking Intl is slow and there are few zones, so each name is asked once. */
function isZone(value: string): boolean {
  let known = knownZones.get(value);
  if (known === undefined) {
    if (knownZones.size > 1_000) knownZones.clear();
    try {
      known = Intl.DateTimeFormat('en', { timeZone: value }) !== undefined;
    } catch {
      known = false;
    }
    knownZones.set(value, known);
  }
  return known;
}

/** JSON text or a value; objects and arrays only. Keys sorted, no spaces. */
function canonicalJson(value: unknown, maxLength: number): Canonical {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value) as unknown;
    } catch {
      return { reason: 'is not JSON' };
    }
  }
  if (typeof parsed !== 'object' || parsed === null) return { reason: 'must be a JSON object or array' };
  const sorted = sortKeys(parsed, 0);
  if (sorted === undefined) return { reason: `is nested more than ${DEPTH_MAX} deep or holds something that is not JSON` };
  const text = JSON.stringify(sorted);
  if (text.length > maxLength) return { reason: `has more than ${maxLength} characters` };
  return text.isWellFormed() ? { text } : { reason: 'is not well-formed text' };
}

/** undefined: not JSON or too deep. */
function sortKeys(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || depth >= DEPTH_MAX) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => sortKeys(item, depth + 1));
    return items.includes(undefined) ? undefined : items;
  }
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]): [string, unknown] => [key, sortKeys(item, depth + 1)]);
  return entries.some(([, item]) => item === undefined) ? undefined : Object.fromEntries(entries);
}
