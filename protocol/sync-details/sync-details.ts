import { componentStatus, components } from '../catalogue/catalogue.ts';
import { type Collection, type Component, type ComponentName, EDITIONS, type Field, type Writer } from '../catalogue/types.ts';
import { heldByInWords, typeInWords } from './describe.ts';
import { type UpChange, attributeCasesOf, downStatusesOf, upChangeOf, upStatusesOf } from './occurring.ts';
import { ruleTexts } from './rules.ts';
import type { AttributeDetails, CollectionDetails, ComponentDetails, ComponentStatus, SyncDetails } from './schema.ts';
import { ALL_ATTRIBUTE_STATUSES, DOWN_STATUSES, UP_STATUSES, attributeStatusTexts, downStatusTexts, upStatusTexts } from './statuses.ts';

/**
 * Data Sync Details: of every component its collections and attributes, which fields are updated in each direction, by
 * which rule, and the statuses that each record and attribute can have. Made from the catalogue, so that it is never
 * behind it. `only`: of one component; what the statuses mean is said all the same.
 */
export function syncDetails({ only }: { readonly only?: ComponentName } = {}): SyncDetails {
  return {
    format: 1,
    components: components.filter(({ name }) => only === undefined || name === only).map(componentDetails),
    rules: Object.entries(ruleTexts).map(([rule, text]) => ({ rule, ...text })),
    statuses: statusTexts(),
  };
}

/** Why a store does not have a component; null: every store has it. */
const WHY: Readonly<Record<ComponentStatus, string | null>> = {
  ENABLED: null,
  NOT_USED: 'Declared and not used by the product: it is listed, refused with COMPONENT_NOT_USED, and never transferred.',
  NOT_ENABLED:
    'For stores of the edition clienteling. Elsewhere it is not fetched, and what a store would record of it is refused with COMPONENT_NOT_ENABLED.',
};

function componentDetails(component: Component): ComponentDetails {
  const { name, description, direction, collections } = component;
  const status = Object.fromEntries(EDITIONS.map((edition) => [edition, componentStatus(component, edition)]));
  const missing = Object.values(status).find((one) => one !== 'ENABLED') ?? 'ENABLED';
  return {
    name,
    description,
    direction,
    status: status as ComponentDetails['status'],
    why: WHY[missing],
    collections: collections.map(collectionDetails),
  };
}

function collectionDetails(collection: Collection): CollectionDetails {
  const { name, description, key, direction, rule, scope, scopeChoices = [], fields } = collection;
  const withChange = (change: UpChange) => fields.filter((field) => upChangeOf(collection, field) === change).map((field) => field.name);
  const named = (keep: (field: Field) => boolean) => fields.filter(keep).map((field) => field.name);
  return {
    name,
    description,
    key: [...key],
    direction,
    rule,
    ruleName: ruleTexts[rule].name,
    ruleDescription: ruleTexts[rule].record,
    heldBy: heldByInWords(scope),
    heldByChoices: scopeChoices.map(heldByInWords),
    fieldsUp: { made: withChange('made'), once: withChange('once'), changed: withChange('changed') },
    fieldsDown: {
      all: named(() => true),
      headOfficeOnly: named((field) => upChangeOf(collection, field) === 'never'),
      ifShared: named(isSensitive),
    },
    recordStatuses: { up: upStatusesOf(collection), down: downStatusesOf(collection) },
    attributes: fields.map((field) => attributeDetails(collection, field)),
  };
}

const SET_BY: Readonly<Record<Writer, AttributeDetails['setBy']>> = { cloud: 'head office', store: 'store', both: 'both' };

function attributeDetails(collection: Collection, field: Field): AttributeDetails {
  const up = upChangeOf(collection, field);
  return {
    name: field.name,
    description: field.description,
    type: typeInWords(field.type),
    key: collection.key.includes(field.name),
    required: field.required,
    setBy: SET_BY[field.writer],
    rule: field.rule,
    ruleDescription: ruleTexts[field.rule].attribute,
    direction: up === 'never' ? 'down' : 'both',
    up,
    down: isSensitive(field) ? 'if-shared' : 'always',
    statuses: attributeCasesOf(collection, field),
  };
}

function isSensitive({ personalData }: Field): boolean {
  return personalData === 'sensitive';
}

/** Of the whole catalogue: what nothing has is not described as if something had it. */
function statusTexts(): SyncDetails['statuses'] {
  const all = components.flatMap(({ collections }) => collections);
  const given = new Set<string>([
    ...all.flatMap(upStatusesOf),
    ...all.flatMap(downStatusesOf),
    ...all.flatMap((collection) => collection.fields.flatMap((field) => attributeCasesOf(collection, field))).map(({ status }) => status),
  ]);
  const words: readonly string[] = [...UP_STATUSES, ...DOWN_STATUSES, ...ALL_ATTRIBUTE_STATUSES];
  return {
    recordUp: UP_STATUSES.filter((status) => given.has(status)).map((status) => ({ status, ...upStatusTexts[status] })),
    recordDown: DOWN_STATUSES.map((status) => ({ status, description: downStatusTexts[status] })),
    attribute: ALL_ATTRIBUTE_STATUSES.filter((status) => given.has(status)).map((status) => ({
      status,
      description: attributeStatusTexts[status],
    })),
    notGivenYet: words.filter((word) => !given.has(word)),
  };
}
