import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import type { FieldType } from '../protocol/catalogue/types.ts';
import type { Mapping, Source } from './mapping.ts';

/** Without a mapping file a column is the field of its name, read as the field's type wants it. */
export function defaultMapping(name: string): Mapping {
  const collection = collectionOf(name);
  const fields = collection.fields.map((field): [string, Source] => [field.name, { column: field.name, as: readAs(field.type.kind) }]);
  return { targets: [{ collection: name, fields: Object.fromEntries(fields) }] };
}

function readAs(kind: FieldType['kind']): 'text' | 'integer' | 'boolean' {
  return kind === 'integer' || kind === 'boolean' ? kind : 'text';
}
