import type { AttributeDetails, CollectionDetails, ComponentDetails, SyncDetails } from './schema.ts';

/**
 * Data Sync Details as CSV (RFC 4180): one row an attribute, and one a component that has none. Spreadsheets take a cell
 * that begins like a formula for one, so such a cell gets an apostrophe before it, which they show as plain text.
 */
interface Row {
  readonly component: ComponentDetails;
  /** null: the component has no attributes. */
  readonly collection: CollectionDetails | null;
  readonly attribute: AttributeDetails | null;
}

const COLUMNS: Readonly<Record<string, (row: Row) => string>> = {
  component: ({ component }) => component.name,
  status_core: ({ component }) => component.status.core,
  status_clienteling: ({ component }) => component.status.clienteling,
  why: ({ component }) => component.why ?? '',
  collection: ({ collection }) => collection?.name ?? '',
  attribute: ({ attribute }) => attribute?.name ?? '',
  description: ({ attribute, component }) => attribute?.description ?? component.description,
  type: ({ attribute }) => attribute?.type ?? '',
  key: ({ attribute }) => yesOrNo(attribute?.key),
  required: ({ attribute }) => yesOrNo(attribute?.required),
  set_by: ({ attribute }) => attribute?.setBy ?? '',
  direction: ({ attribute }) => attribute?.direction ?? 'none',
  up: ({ attribute }) => attribute?.up ?? '',
  down: ({ attribute }) => attribute?.down ?? '',
  rule: ({ attribute }) => attribute?.rule ?? '',
  rule_description: ({ attribute }) => attribute?.ruleDescription ?? '',
  statuses: ({ attribute }) => (attribute?.statuses ?? []).map(({ status }) => status).join('; '),
  status_descriptions: ({ attribute }) =>
    (attribute?.statuses ?? []).map(({ status, description }) => `${status}: ${description}`).join(' '),
  record_rule: ({ collection }) => collection?.rule ?? '',
  record_statuses_up: ({ collection }) => (collection?.recordStatuses.up ?? []).join('; '),
  record_statuses_down: ({ collection }) => (collection?.recordStatuses.down ?? []).join('; '),
};

export function detailsAsCsv({ components }: SyncDetails): string {
  const rows = components.flatMap((component): Row[] =>
    component.collections.length === 0
      ? [{ component, collection: null, attribute: null }]
      : component.collections.flatMap((collection) => collection.attributes.map((attribute) => ({ component, collection, attribute }))),
  );
  return csvText([Object.keys(COLUMNS), ...rows.map((row) => Object.values(COLUMNS).map((cell) => cell(row)))]);
}

export function csvText(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

/** Tab and carriage return before it do not keep a spreadsheet from taking it for a formula. */
function csvCell(cell: string): string {
  const plain = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(plain) || plain !== cell ? `"${plain.replaceAll('"', '""')}"` : plain;
}

function yesOrNo(value: boolean | undefined): string {
  return value === undefined ? '' : value ? 'yes' : 'no';
}
