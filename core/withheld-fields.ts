import { collections } from '../protocol/catalogue/catalogue.ts';

/** Sensitive fields stay at head office unless the organization shares them by name. Sorted `collection.field` names. */
export function withheldFields(shareSensitiveFields: readonly string[]): string[] {
  const shared = new Set(shareSensitiveFields);
  return collections
    .flatMap((collection) =>
      collection.fields.filter((field) => field.personalData === 'sensitive').map((field) => `${collection.name}.${field.name}`),
    )
    .filter((name) => !shared.has(name))
    .sort();
}
