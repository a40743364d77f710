/**
 * The vocabulary of the catalogue: what can be said of a component, a collection and a field.
 *
 * One table in code says everything about every field; validation, SQLite tables, the stream router and the
 * generated documents all come from it, so nothing about a field is written twice.
 * Sources of the content: the domain page of the project (components, who writes, conflict rules, personal data).
 */

/** The exact component names, in the order in which a run works through them. */
export const COMPONENT_NAMES = [
  'Fraud Users List',
  'Voucher Series',
  'Customer',
  'Custom Fields',
  'Stores',
  'Associates',
  'Communication Template',
  'Task Metadata',
  'Tasks',
  'Reminders',
  'Inventory Master',
  'Customer Attributes',
  'Store Attributes',
  'Loyalty Tracker',
] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

export const EDITIONS = ['core', 'clienteling'] as const;
export type Edition = (typeof EDITIONS)[number];

/** Which way records of a collection travel: `down` to stores, `up` from stores, `both`. */
export type Direction = 'down' | 'up' | 'both';

/**
 * Type and format of a field. Every value has exactly one canonical form, so that equal values are equal text:
 * - `id`       printable ASCII without `/`, 1 to 200 characters: codes and identifiers, never a number
 * - `text`     well-formed Unicode, at most `maxLength` UTF-16 units
 * - `integer`  a safe integer
 * - `decimal`  exact decimal string, at most `scale` fraction digits, no exponent, no trailing zeros, no `-0`
 * - `money`    a `decimal` of scale 4 in major units of the currency that stands in field `currency`
 * - `instant`  RFC 3339 in UTC with milliseconds only when they are not zero: `2026-11-23T08:00:00Z`
 * - `date`     a calendar day in the store's zone: `2026-11-23`
 * - `zone`     IANA time zone name; `currency` ISO 4217 code
 * - `boolean`
 * - `enum`     one of `values`; an `open` enum also takes other upper-case codes, because sources differ
 * - `json`     canonical JSON text (keys sorted, no spaces) of an object or array
 */
export type FieldType =
  | { readonly kind: 'id' }
  | { readonly kind: 'text'; readonly maxLength: number }
  | { readonly kind: 'integer' }
  | { readonly kind: 'decimal'; readonly scale: number }
  | { readonly kind: 'money'; readonly currency: string }
  | { readonly kind: 'instant' }
  | { readonly kind: 'date' }
  | { readonly kind: 'zone' }
  | { readonly kind: 'currency' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly open?: boolean }
  | { readonly kind: 'json'; readonly maxLength: number };

/** Who may set a field. */
export type Writer = 'cloud' | 'store' | 'both';

/** `sensitive` fields are withheld from stores unless the organization opts in; `secret` ones are never stored. */
export type PersonalData = 'none' | 'key' | 'personal' | 'sensitive';

/**
 * How two writers are reconciled (domain page, conflict rules):
 * CW cloud wins · AO append-only · FL field-level last writer · FL1 write-once field · SM state machine ·
 * RC reserve/confirm · CD cloud-derived · IC identifier claim · MP most protective · GS grow-only set.
 */
export type ConflictRule = 'CW' | 'AO' | 'FL' | 'FL1' | 'SM' | 'RC' | 'CD' | 'IC' | 'MP' | 'GS';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly writer: Writer;
  readonly rule: ConflictRule;
  readonly personalData: PersonalData;
  /** A record without this field is refused. Key fields are always required. */
  readonly required: boolean;
  readonly description: string;
}

/**
 * Which stores hold a record. `field` names the field of the record whose value is the zone or store.
 * In an organization a collection has exactly one rule, so a replica's table is fed by exactly one feed.
 */
export type ScopeRule =
  | { readonly by: 'org' }
  | { readonly by: 'zone'; readonly field: string }
  | { readonly by: 'store'; readonly field: string }
  /** The stores of the customer it is of (`core/working-set/`). */
  | { readonly by: 'working-set' };
export const SCOPE_CHOICES = ['org', 'zone', 'store', 'working-set'] as const satisfies readonly ScopeRule['by'][];
export type ScopeChoice = ScopeRule['by'];
/** What everything of a customer may be kept by. */
export const BY_WORKING_SET: readonly ScopeRule[] = [{ by: 'working-set' }];

export interface Collection {
  /** Table name in the replica and first part of the key in main data: lower-case snake. */
  readonly name: string;
  readonly component: ComponentName;
  /** Names of the fields that make the key, in order. One part: the key is that field's value. */
  readonly key: readonly string[];
  readonly scope: ScopeRule;
  /** What an organization may choose instead (its setting `scopes`). */
  readonly scopeChoices?: readonly ScopeRule[];
  readonly direction: Direction;
  readonly rule: ConflictRule;
  /** All fields, key fields first; the order is the column order everywhere. Append only. */
  readonly fields: readonly Field[];
  /** Secondary indexes that the store's look-ups need; each a list of field names. */
  readonly indexes: readonly (readonly string[])[];
  readonly description: string;
}

export interface Component {
  readonly name: ComponentName;
  /** Declared but not used by the product: listed as `NOT_USED`, refused, never transferred. */
  readonly used: boolean;
  /** Editions of a store for which the component is enabled; elsewhere `NOT_ENABLED`. */
  readonly editions: readonly Edition[];
  readonly direction: Direction | 'none';
  readonly collections: readonly Collection[];
  readonly description: string;
}
