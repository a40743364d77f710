import { SyncError } from '../sync-error.ts';
import {
  associate,
  communicationTemplate,
  reminder,
  store,
  task,
  taskComment,
  taskLog,
  taskMetadata,
  taskStatusMapping,
} from './clienteling.ts';
import { customFieldDefinition, customFieldValue } from './custom-fields.ts';
import { bill, billLine, payment } from './customer-bills.ts';
import { loyaltySummary, pointsLedger, pointsRedemption, slabDefinition, slabState } from './customer-loyalty.ts';
import { customer, customerIdentifier, subscription } from './customer-profile.ts';
import { fraudUser } from './fraud-users.ts';
import { type Collection, type Component, type ComponentName, EDITIONS, type Edition, type Field } from './types.ts';
import { coupon, couponRedemption, couponSeries } from './vouchers.ts';

/** The catalogue: all 14 components, in the order in which a run works through them. */
export const components: readonly Component[] = [
  used('Fraud Users List', 'down', [fraudUser], 'Customers a till must be careful with.'),
  used('Voucher Series', 'both', [couponSeries, coupon, couponRedemption], 'Coupons issued to customers and the validity of each.'),
  used(
    'Customer',
    'both',
    [
      customer,
      customerIdentifier,
      subscription,
      slabDefinition,
      loyaltySummary,
      slabState,
      bill,
      billLine,
      payment,
      pointsLedger,
      pointsRedemption,
    ],
    'Profiles, identifiers, consent, loyalty, bills and points.',
  ),
  used('Custom Fields', 'both', [customFieldDefinition, customFieldValue], 'Fields the organization defines itself, and their values.'),
  clienteling('Stores', 'down', [store], 'Stores, tills, zones and concepts.'),
  clienteling('Associates', 'down', [associate], 'Staff of the store.'),
  clienteling('Communication Template', 'down', [communicationTemplate], 'Texts of messages to customers.'),
  clienteling('Task Metadata', 'both', [taskMetadata, taskStatusMapping], 'Tasks as they were set.'),
  clienteling('Tasks', 'both', [task, taskLog, taskComment], 'Tasks as they are done.'),
  clienteling('Reminders', 'both', [reminder], 'Reminders of tasks.'),
  notUsed('Inventory Master', 'Products and stock keeping units.'),
  notUsed('Customer Attributes', 'Computed attributes of customers.'),
  notUsed('Store Attributes', 'Attributes of stores.'),
  notUsed('Loyalty Tracker', 'Daily key figures of a store.'),
];

export const collections: readonly Collection[] = components.flatMap((component) => component.collections);

const byName = new Map(collections.map((collection) => [collection.name, collection]));
const wireFields = new Map(
  collections.map((collection) => [
    collection.name,
    collection.key.length === 1 ? collection.fields.filter((field) => field.name !== collection.key[0]) : collection.fields,
  ]),
);

export function findCollection(name: string): Collection | undefined {
  return byName.get(name);
}

export function collectionOf(name: string): Collection {
  const collection = byName.get(name);
  if (collection === undefined) {
    throw new SyncError('UNKNOWN_COLLECTION', `there is no collection ${JSON.stringify(name)}; there are ${[...byName.keys()].join(', ')}`);
  }
  return collection;
}

/** The columns of the wire and the replica: all fields, but a key of one part stands only as the key. */
export function valueFields(collection: Collection): readonly Field[] {
  return wireFields.get(collection.name) ?? collection.fields;
}

export function componentStatus(component: Component, edition: Edition): 'ENABLED' | 'NOT_USED' | 'NOT_ENABLED' {
  if (!component.used) return 'NOT_USED';
  return component.editions.includes(edition) ? 'ENABLED' : 'NOT_ENABLED';
}

function used(name: ComponentName, direction: Component['direction'], parts: readonly Collection[], description: string): Component {
  return { name, used: true, editions: EDITIONS, direction, collections: parts, description };
}

function clienteling(name: ComponentName, direction: Component['direction'], parts: readonly Collection[], description: string): Component {
  return { name, used: true, editions: ['clienteling'], direction, collections: parts, description };
}

function notUsed(name: ComponentName, description: string): Component {
  return { name, used: false, editions: [], direction: 'none', collections: [], description };
}

const DELETED_BY_STORES: ReadonlySet<string> = new Set(['reminder', 'custom_field_value']);

/** Whether a store may delete such a record; everything else is deleted by head office only. */
export function isDeletedByStores({ name }: Collection): boolean {
  return DELETED_BY_STORES.has(name);
}
