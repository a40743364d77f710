import { boolean, field, id, instant, integer, json, oneOf, openEnum, text } from './field.ts';
import type { Collection } from './types.ts';

/** Fields an organization defines itself: the definitions, and their values. */
const SCOPE = openEnum(
  'LOYALTY_REGISTRATION',
  'LOYALTY_TRANSACTION',
  'CUSTOMER_FEEDBACK',
  'CUSTOMER_PREFERENCES',
  'STORE_CUSTOM_FIELDS',
  'POINTS_REDEMPTION',
  'VOUCHER_REDEMPTION',
  'CHECK_IN_FEEDBACK',
  'CUSTOMER_CARD',
);

export const customFieldDefinition: Collection = {
  name: 'custom_field_definition',
  component: 'Custom Fields',
  key: ['scope', 'name'],
  scope: { by: 'org' },
  direction: 'down',
  rule: 'CW',
  description: 'Definition of a custom field: what the registration and bill screens are drawn from.',
  indexes: [],
  fields: [
    field('scope', SCOPE, '*C CW K', 'Where the field is used.'),
    field('name', text(20), '*C CW K', 'Name.'),
    field(
      'field_type',
      openEnum('TEXT', 'TEXTAREA', 'SELECT', 'CHECKBOX', 'RADIO', 'FILE', 'DATEPICKER', 'LABEL'),
      'C CW -',
      'How it is shown.',
    ),
    field('data_type', oneOf('BOOLEAN', 'INTEGER', 'DOUBLE', 'STRING'), 'C CW -', 'What it holds.'),
    field('label', text(100), 'C CW -', 'Label.'),
    field('default_value', json(1_000), 'C CW -', 'Default.'),
    field('phase', integer, 'C CW -', 'Phase of the screen.'),
    field('position', integer, 'C CW -', 'Place on the screen.'),
    field('rule', text(500), 'C CW -', 'Rule.'),
    field('regex', text(500), 'C CW -', 'Pattern a value must match.'),
    field('error', text(250), 'C CW -', 'Message when it does not.'),
    field('options', json(16_000), 'C CW -', 'Choices.'),
    field('is_compulsory', boolean, 'C CW -', 'Must be filled in.'),
    field('is_updatable', boolean, 'C CW -', 'May be changed at a store once it has a value.'),
    field('is_disabled', boolean, 'C CW -', 'Not shown.'),
    field('is_disabled_at_server', boolean, 'C CW -', 'Not used by head office.'),
  ],
};

export const customFieldValue: Collection = {
  name: 'custom_field_value',
  component: 'Custom Fields',
  key: ['entity_type', 'entity_id', 'scope', 'name'],
  scope: { by: 'org' },
  direction: 'both',
  rule: 'FL',
  description: 'Value of a custom field. Free content, so always treated as personal.',
  indexes: [],
  fields: [
    field('entity_type', openEnum('CUSTOMER', 'BILL', 'STORE', 'CARD', 'REDEMPTION'), '*B FL K', 'Kind of record it belongs to.'),
    field('entity_id', id, '*B FL K', 'Record it belongs to.'),
    field('scope', SCOPE, '*B FL K', 'Scope of the definition.'),
    field('name', text(20), '*B FL K', 'Name of the definition.'),
    field('value', text(4_000), 'B FL P', 'Value.'),
    field('changed_at', instant, 'B FL -', 'When it was changed.'),
  ],
};
