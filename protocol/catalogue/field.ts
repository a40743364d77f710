import type { ConflictRule, Field, FieldType, PersonalData, Writer } from './types.ts';

/**
 * How the catalogue's tables are written: one line a field, in the codes of the domain page.
 *
 * `field('mobile', text(32), 'B IC P', '…')` reads: writer Both, rule IC, class Personal. Writer: C cloud, S store, B both.
 * Class: K key or identifier, P personal, P! sensitive, - none. A leading `*` makes the field required.
 */
const WRITERS: Readonly<Record<string, Writer>> = { C: 'cloud', S: 'store', B: 'both' };
const CLASSES: Readonly<Record<string, PersonalData>> = { K: 'key', P: 'personal', 'P!': 'sensitive', '-': 'none' };

type Code = `${'' | '*'}${'C' | 'S' | 'B'} ${ConflictRule} ${'K' | 'P' | 'P!' | '-'}`;

export function field(name: string, type: FieldType, code: Code, description: string): Field {
  const required = code.startsWith('*');
  const [writer = '', rule = '', personal = ''] = (required ? code.slice(1) : code).split(' ');
  return {
    name,
    type,
    writer: WRITERS[writer] ?? 'cloud',
    rule: rule as ConflictRule,
    personalData: CLASSES[personal] ?? 'none',
    required,
    description,
  };
}

export const id: FieldType = { kind: 'id' };
export const integer: FieldType = { kind: 'integer' };
export const instant: FieldType = { kind: 'instant' };
export const date: FieldType = { kind: 'date' };
export const zone: FieldType = { kind: 'zone' };
export const currency: FieldType = { kind: 'currency' };
export const boolean: FieldType = { kind: 'boolean' };
/** Points have three decimals. */
export const points: FieldType = { kind: 'decimal', scale: 3 };
/** In major units of the currency in `currency_code`. */
export const money: FieldType = { kind: 'money', currency: 'currency_code' };

export function text(maxLength: number): FieldType {
  return { kind: 'text', maxLength };
}

export function decimal(scale: number): FieldType {
  return { kind: 'decimal', scale };
}

export function json(maxLength: number): FieldType {
  return { kind: 'json', maxLength };
}

/** One of these codes only. */
export function oneOf(...values: readonly string[]): FieldType {
  return { kind: 'enum', values };
}

/** One of these codes, or another upper-case one, because sources differ. */
export function openEnum(...values: readonly string[]): FieldType {
  return { kind: 'enum', values, open: true };
}
