import type { FieldType, ScopeRule } from '../catalogue/types.ts';

/** Types and scopes of the catalogue in words. */
export function typeInWords(type: FieldType): string {
  switch (type.kind) {
    case 'id':
      return 'identifier';
    case 'text':
      return `text, at most ${grouped(type.maxLength)} characters`;
    case 'integer':
      return 'whole number';
    case 'decimal':
      return `decimal, ${type.scale} places`;
    case 'money':
      return `money in ${type.currency}`;
    case 'instant':
      return 'time';
    case 'date':
      return 'day';
    case 'zone':
      return 'time zone';
    case 'currency':
      return 'currency code';
    case 'boolean':
      return 'yes or no';
    case 'enum':
      return type.open === true ? `${type.values.join(', ')} or another code` : type.values.join(', ');
    case 'json':
      return `JSON, at most ${grouped(type.maxLength)} characters`;
  }
}

export function heldByInWords(rule: ScopeRule): string {
  switch (rule.by) {
    case 'org':
      return 'every store';
    case 'zone':
      return `the stores of the zone in ${rule.field}`;
    case 'store':
      return `the store in ${rule.field}`;
    case 'working-set':
      return 'the stores of its customer';
  }
}

/** 16,000: the same on every machine. */
function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
