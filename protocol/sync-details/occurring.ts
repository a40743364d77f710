import { hasStates } from '../catalogue/state-machines.ts';
import type { Collection, ConflictRule, Field } from '../catalogue/types.ts';
import { type ReceiptStatus, WAITING_STATUSES } from '../operation.ts';
import { ALL_ATTRIBUTE_STATUSES, type AttributeStatus, DOWN_STATUSES, UP_STATUSES, attributeStatusTexts } from './statuses.ts';

/**
 * Which statuses a record and an attribute can have, by rule. Tables by rule and nothing by name: a new collection has
 * its statuses from what the catalogue says of it, and a rule that is missing here does not compile.
 *
 * They say what head office's decisions do (`core/upload/`); `test/sync-details.test.ts` holds them against those
 * decisions both ways, so that nothing is claimed that does not occur.
 */

/** Whether, and until when, a store may set a field. `made`: with the record only; `once`: also later, while it has no value. */
export const UP_CHANGES = ['never', 'made', 'once', 'changed'] as const;
export type UpChange = (typeof UP_CHANGES)[number];

/** What may become of any upload at all: it is refused, breaks processing, or is closed by a person. */
const OF_ANY: readonly ReceiptStatus[] = ['REJECTED', 'QUARANTINED', 'CORRECTED', 'DISCARDED'];

const OF_MERGED: readonly ReceiptStatus[] = ['ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'DUPLICATE', 'MERGED', 'SUPERSEDED', 'HELD'];
const OF_FACT: readonly ReceiptStatus[] = ['ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'DUPLICATE', 'MERGED', 'CONFLICT'];

interface CollectionRule {
  readonly statuses: readonly ReceiptStatus[];
  /** A record that is there is changed field by field; otherwise it is compared or refused. */
  readonly merges: boolean;
}

const NOT_UPLOADED: CollectionRule = { statuses: [], merges: false };

const COLLECTION_RULES: Readonly<Record<ConflictRule, CollectionRule>> = {
  CW: NOT_UPLOADED,
  CD: NOT_UPLOADED,
  AO: { statuses: OF_FACT, merges: true },
  GS: { statuses: OF_FACT, merges: true },
  RC: { statuses: ['ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'DUPLICATE', 'CONFLICT', 'HELD'], merges: false },
  IC: { statuses: [...OF_MERGED, 'AWAITING_APPROVAL'], merges: true },
  MP: { statuses: OF_MERGED, merges: true },
  FL: { statuses: OF_MERGED, merges: true },
  FL1: { statuses: OF_MERGED, merges: true },
  SM: { statuses: OF_MERGED, merges: true },
};

const FACTS: ReadonlySet<ConflictRule> = new Set<ConflictRule>(['AO', 'GS', 'RC']);

/** In the vocabulary's order; empty where stores send nothing. */
export function upStatusesOf(collection: Collection): (typeof UP_STATUSES)[number][] {
  if (collection.direction === 'down') return [];
  const { statuses } = COLLECTION_RULES[collection.rule];
  const isFact = collection.rule === 'AO' || collection.rule === 'GS';
  const can = new Set<string>([...WAITING_STATUSES, ...OF_ANY, ...statuses]);
  // A fact of a customer waits for the customer, and what is computed of a fact follows by download.
  const ofCustomer = collection.fields.some((field) => field.name === 'user_id');
  // Of a fact, too, the attributes that may change later can have been changed later still.
  if (isFact && collection.fields.some((field) => upChangeOf(collection, field) === 'changed' && field.rule !== 'GS'))
    can.add('SUPERSEDED');
  if (isFact && ofCustomer) can.add('HELD');
  if (isFact && ofCustomer && collection.fields.some((field) => field.rule === 'CD')) can.add('ACCEPTED_EFFECTS_PENDING');
  return UP_STATUSES.filter((status) => can.has(status));
}

export function downStatusesOf({ direction }: Collection): (typeof DOWN_STATUSES)[number][] {
  return DOWN_STATUSES.filter((status) => status !== 'LOCAL_EDIT_PENDING' || direction !== 'down');
}

const CHANGES: Readonly<Record<ConflictRule, UpChange>> = {
  CW: 'made',
  CD: 'made',
  RC: 'made',
  AO: 'once',
  FL1: 'once',
  FL: 'changed',
  SM: 'changed',
  IC: 'changed',
  MP: 'changed',
  GS: 'changed',
};

export function upChangeOf(collection: Collection, field: Field): UpChange {
  if (collection.direction === 'down') return 'never';
  if (collection.key.includes(field.name)) return 'made';
  // What a record must have comes with it, whoever sets it later.
  if (field.writer === 'cloud') return field.required ? 'made' : 'never';
  const change = COLLECTION_RULES[collection.rule].merges ? CHANGES[field.rule] : 'made';
  return change === 'once' && FACTS.has(collection.rule) ? 'made' : change;
}

/** A status of an attribute, and why this attribute can have it. */
export interface AttributeCase {
  readonly status: AttributeStatus;
  readonly description: string;
}

const HEAD_OFFICES: AttributeCase = { status: 'NOT_ALLOWED', description: 'Only head office sets it.' };
const SET_ONCE: AttributeCase = { status: 'NOT_ALLOWED', description: 'It is set once and has another value.' };
const LATER: AttributeCase = { status: 'CLOUD_OVERRIDDEN', description: 'Somebody changed it later.' };

/** What is kept of a change of a field that has a value (`core/upload/merge-field.ts`). */
const KEPT: Readonly<Record<ConflictRule | 'SM with states', readonly AttributeCase[]>> = {
  CW: [HEAD_OFFICES],
  CD: [HEAD_OFFICES],
  RC: [HEAD_OFFICES],
  AO: [SET_ONCE],
  FL1: [SET_ONCE],
  FL: [LATER],
  IC: [LATER],
  SM: [LATER],
  'SM with states': [
    { status: 'CLOUD_OVERRIDDEN', description: 'Head office has a later state already.' },
    { status: 'NOT_ALLOWED', description: 'The state that stands does not become this one.' },
  ],
  MP: [{ status: 'CLOUD_OVERRIDDEN', description: 'Somebody changed it later, or more strictly at about the same time.' }],
  GS: [{ status: 'NOT_ALLOWED', description: 'Members may be added, not taken away.' }],
};

const WITHHELD_REASON = 'This organization does not share it with stores.';

/** In the vocabulary's order; where a status has several causes, a sentence for each. */
export function attributeCasesOf(collection: Collection, field: Field): AttributeCase[] {
  const cases = [...standingCases(collection, field), ...receiptCases(collection, field)];
  return ALL_ATTRIBUTE_STATUSES.flatMap((status): AttributeCase[] => {
    const causes = new Set(cases.filter((one) => one.status === status).map(({ description }) => description));
    return causes.size === 0 ? [] : [{ status, description: [...causes].join(' ') }];
  });
}

function standingCases(collection: Collection, field: Field): AttributeCase[] {
  const can: AttributeStatus[] = ['SYNCED'];
  if (upChangeOf(collection, field) !== 'never') can.push('PENDING_UPLOAD', 'PENDING_DOWNLOAD');
  if (field.rule === 'CD') can.push('STALE');
  const withheld: AttributeCase[] = field.personalData === 'sensitive' ? [{ status: 'WITHHELD', description: WITHHELD_REASON }] : [];
  return [...can.map((status) => ({ status, description: attributeStatusTexts[status] })), ...withheld];
}

function receiptCases(collection: Collection, field: Field): AttributeCase[] {
  if (collection.direction === 'down') return [];
  const change = upChangeOf(collection, field);
  const isKey = collection.key.includes(field.name);
  const isClaimant = collection.rule === 'IC' && field.writer === 'cloud' && field.required;
  const isClaimed = collection.rule === 'IC' && field.name === collection.key.at(-1);
  return [
    ...(change === 'never' ? [HEAD_OFFICES] : [invalidCase(field)]),
    ...(!isKey && !isClaimant && COLLECTION_RULES[collection.rule].merges ? keptCases(collection, field) : []),
    ...(field.personalData === 'sensitive' ? [{ status: 'NOT_ALLOWED' as const, description: WITHHELD_REASON }] : []),
    ...(isClaimed ? [{ status: 'TAKEN' as const, description: attributeStatusTexts.TAKEN }] : []),
    ...(isClaimant ? [{ status: 'AWAITING_APPROVAL' as const, description: attributeStatusTexts.AWAITING_APPROVAL }] : []),
  ];
}

function invalidCase({ required }: Field): AttributeCase {
  const description = required
    ? 'It is absent or no value of this attribute; the record is refused.'
    : 'It is no value of this attribute; a new record is taken without it, a change of one is refused.';
  return { status: 'INVALID', description };
}

function keptCases(collection: Collection, field: Field): readonly AttributeCase[] {
  if (field.writer === 'cloud') return [HEAD_OFFICES];
  return KEPT[field.rule === 'SM' && hasStates(`${collection.name}.${field.name}`) ? 'SM with states' : field.rule];
}
