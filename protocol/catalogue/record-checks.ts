import type { Collection } from './types.ts';

/** Checks that no single field's type can make: personal data in the wrong place. */
interface Found {
  readonly field: string;
  readonly reason: string;
}

export function checkRecord(collection: Collection, fields: Readonly<Record<string, string | number | boolean>>): Found[] {
  if (collection.name === 'payment') return cardNumbers(collection, fields);
  if (collection.name === 'customer') return sensitiveInside(collection, fields);
  return [];
}

/** Card numbers never enter: 13 to 19 digits that pass the Luhn check, with or without blanks and dashes. */
function cardNumbers(collection: Collection, fields: Readonly<Record<string, string | number | boolean>>): Found[] {
  const free = collection.fields.filter((field) => field.type.kind === 'text' || field.type.kind === 'json');
  return free.flatMap(({ name }) => {
    const digits = String(fields[name] ?? '').matchAll(/(?:\d[ -]?){13,19}/g);
    return [...digits].some(([run]) => isLuhn(run.replaceAll(/\D/g, '')))
      ? [{ field: name, reason: 'looks like a card number, which may not be stored' }]
      : [];
  });
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits.at(-1 - index));
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Sensitive values have columns of their own, because those can be withheld; free JSON cannot. */
function sensitiveInside(collection: Collection, fields: Readonly<Record<string, string | number | boolean>>): Found[] {
  const free = fields['extended_fields'];
  if (typeof free !== 'string') return [];
  const inside = new Set(Object.keys(JSON.parse(free) as object).map((name) => name.toLowerCase().replaceAll(/[^a-z]/g, '')));
  return collection.fields
    .filter((field) => field.personalData === 'sensitive' && inside.has(field.name.replaceAll('_', '')))
    .map(({ name }) => ({ field: 'extended_fields', reason: `holds ${name}; use the field ${name}, which can be withheld` }));
}
