import { field, id, instant, json, oneOf } from './field.ts';
import type { Collection } from './types.ts';

/** Customers a till must be careful with. Cleared customers (NONE, NOT_FRAUD) leave the list as removals. */
export const fraudUser: Collection = {
  name: 'fraud_user',
  component: 'Fraud Users List',
  key: ['user_id'],
  scope: { by: 'org' },
  direction: 'down',
  rule: 'CW',
  description: 'Fraud status of a customer. Who marked whom stays at head office.',
  indexes: [],
  fields: [
    field('user_id', id, '*C CW K', 'Customer.'),
    field('status', oneOf('MARKED', 'CONFIRMED', 'RECONFIRMED', 'INTERNAL'), '*C CW K', 'Status; MARKED warns, the confirmed ones block.'),
    field('identifier_hashes', json(4_000), 'C CW K', 'Salted hashes of identifiers, so that a till can match without the person.'),
    field('blocks', json(200), 'C CW -', 'What is blocked: EARN, REDEEM_POINTS, REDEEM_COUPON, TRANSFER.'),
    field('modified_on', instant, 'C CW -', 'When the status changed.'),
  ],
};
