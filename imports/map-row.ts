import { createHash } from 'node:crypto';
import { assert, unreachable } from '../protocol/assert.ts';
import { type Converted, negated, toBoolean, toDecimal, toIdOfNumber, toInteger } from './convert.ts';
import { toDate, toInstant } from './local-time.ts';
import type { Condition, Mapping, Source } from './mapping.ts';

/**
 * One source row to the records it makes. A value that does not convert makes the whole record a reject, with the
 * source column and the reason; other records of the row go on.
 */
export type Row = Readonly<Record<string, string>>;
type Value = string | number | boolean | Record<string, unknown>;

export interface MappedRecord {
  readonly collection: string;
  readonly record: Record<string, Value> | null;
  readonly issues: readonly { readonly field: string; readonly reason: string }[];
}

export class RowMapper {
  readonly #mapping: Mapping;
  /** How often each identity was met in this import. */
  readonly #met = new Map<string, number>();

  constructor(mapping: Mapping) {
    this.#mapping = mapping;
  }

  map(row: Row): MappedRecord[] {
    return this.#mapping.targets.flatMap((target) => {
      if (target.when !== undefined && !holds(target.when, row)) return [];
      const record: Record<string, Value> = {};
      const issues: { field: string; reason: string }[] = [];
      for (const [name, source] of Object.entries(target.fields)) {
        const result = this.#evaluate(source, row);
        if (result === null) continue;
        if ('reason' in result) issues.push({ field: name, reason: result.reason });
        else record[name] = result.value;
      }
      return [{ collection: target.collection, record: issues.length > 0 ? null : record, issues }];
    });
  }

  /** null: no value. */
  #evaluate(source: Source, row: Row): { value: Value } | { reason: string } | null {
    if ('value' in source) return { value: source.value };
    if ('cases' in source) {
      const chosen = source.cases.find(({ when }) => when === undefined || holds(when, row));
      return chosen === undefined ? null : this.#evaluate(chosen.use, row);
    }
    if ('object' in source) return this.#evaluateObject(source.object, row);
    if ('identity' in source) return this.#identity(source.identity, row);
    const text = cell(row, source.column);
    return text === '' ? null : convert(source, text);
  }

  #evaluateObject(members: Readonly<Record<string, Source>>, row: Row): { value: Value } | { reason: string } | null {
    const object: Record<string, Value> = {};
    for (const [name, member] of Object.entries(members)) {
      const result = this.#evaluate(member, row);
      if (result === null) continue;
      if ('reason' in result) return { reason: `${name}: ${result.reason}` };
      object[name] = result.value;
    }
    return Object.keys(object).length === 0 ? null : { value: object };
  }

  /**
   * `<column>.<8 hex digits of the content>`, and `.2`, `.3` … for rows that are the same in everything named. So a
   * number that a source uses twice is two records, and importing again, in any order of rows, gives the same ids.
   */
  #identity({ column, of }: { column: string; of: readonly string[] }, row: Row): { value: string } | null {
    const number = cell(row, column);
    if (number === '') return null;
    const content = JSON.stringify(of.map((name) => cell(row, name)));
    const id = `${number}.${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
    const times = (this.#met.get(id) ?? 0) + 1;
    this.#met.set(id, times);
    return { value: times === 1 ? id : `${id}.${times}` };
  }
}

/** Own columns only: a row of NDJSON may lack one that objects inherit, such as `constructor`. */
function cell(row: Row, column: string): string {
  return Object.hasOwn(row, column) ? (row[column] ?? '').trim() : '';
}

function convert(source: Extract<Source, { column: string }>, text: string): Converted {
  switch (source.as) {
    case 'decimal': {
      const decimal = toDecimal(text, source.scale);
      if ('reason' in decimal) return decimal;
      const value = String(decimal.value);
      if (source.sign === 'flip') return { value: negated(value) };
      return { value: source.sign === 'drop' ? value.replace(/^-/, '') : value };
    }
    case 'instant':
      return toInstant(text, source);
    case 'date':
      return toDate(text, source.format);
    case 'code': {
      const value = Object.hasOwn(source.codes, text) ? source.codes[text] : undefined;
      return value === undefined ? { reason: `${JSON.stringify(text)} is none of ${Object.keys(source.codes).join(', ')}` } : { value };
    }
    case 'integer':
      return toInteger(text);
    case 'boolean':
      return toBoolean(text);
    case 'id-of-number':
      return toIdOfNumber(text);
    case 'text':
    case undefined:
      return { value: text };
    default:
      return unreachable(source);
  }
}

function holds(condition: Condition, row: Row): boolean {
  if ('all' in condition) return condition.all.every((part) => holds(part, row));
  if ('any' in condition) return condition.any.some((part) => holds(part, row));
  if ('not' in condition) return !holds(condition.not, row);
  const text = cell(row, condition.column);
  if ('is' in condition) return (text === '') === (condition.is === 'empty');
  if ('startsWith' in condition) return text.startsWith(condition.startsWith);
  if ('equals' in condition) return text === condition.equals;
  assert('below' in condition, 'every condition has a test');
  return text !== '' && Number(text) < condition.below;
}
