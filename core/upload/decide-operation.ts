import { componentStatus, components, findCollection } from '../../protocol/catalogue/catalogue.ts';
import { scopeRuleOf } from '../../protocol/catalogue/scopes.ts';
import type { Collection, Field } from '../../protocol/catalogue/types.ts';
import { valueSchema } from '../../protocol/catalogue/values.ts';
import type { Operation, OperationValue } from '../../protocol/operation.ts';
import { decideClaim, decideConsent } from './claims.ts';
import { decideFact } from './facts.ts';
import { decideMerge } from './merge-record.ts';
import { decideRedemption } from './redemptions.ts';
import { type Case, type Seen, type Verdict, isThere, rejected } from './verdict.ts';

/** What becomes of one operation of a store, by the rule of its collection. */
export function decideOperation(input: Case): Verdict {
  const collection = findCollection(input.operation.collection);
  if (collection === undefined) return rejected(`there is no collection ${input.operation.collection}`);
  return notForStore(collection, input) ?? byRule(collection, input);
}

function byRule(collection: Collection, input: Case): Verdict {
  switch (collection.rule) {
    case 'AO':
    case 'GS':
      return decideFact(collection, input);
    case 'RC':
      return decideRedemption(collection, input);
    case 'IC':
      return decideClaim(collection, input);
    case 'MP':
      return decideConsent(collection, input);
    case 'FL':
    case 'FL1':
    case 'SM':
      return decideMerge(collection, input);
    case 'CW':
    case 'CD':
      return rejected(`${collection.name} is written by head office only`);
  }
}

function notForStore(collection: Collection, { operation, store, settings }: Case): Verdict | null {
  const component = components.find(({ name }) => name === collection.component);
  if (component === undefined || componentStatus(component, store.edition) !== 'ENABLED')
    return rejected(`${collection.component} is not enabled for this store`);
  if (collection.direction === 'down') return rejected(`${collection.name} is written by head office only`);
  const scope = scopeRuleOf(collection, settings.scopes);
  const names = scope.by === 'store' ? [scope.field, WHERE] : [WHERE];
  const isElsewhere = collection.fields.some(
    (field) => names.includes(field.name) && isSent(collection, field) && namesAnother(field, operation.fields[field.name], store.storeId),
  );
  return isElsewhere ? rejected('it belongs to another store') : null;
}

/** The store where it happened. */
const WHERE = 'store_code';

function isSent(collection: Collection, { name, writer }: Field): boolean {
  return writer !== 'cloud' || collection.key.includes(name);
}

/** What is no value of the field names nobody; it is said of the attribute. */
function namesAnother({ type }: Field, value: OperationValue | undefined, storeId: string): boolean {
  return value !== storeId && valueSchema(type).safeParse(value).success;
}

/** Records an operation is judged by, as far as is known from those that are loaded: ask again until there are no more. */
export function neededRecords({ collection, key, fields }: Operation, loaded: Seen): { collection: string; key: string }[] {
  const needed = [{ collection, key }];
  const user = fields['user_id'];
  if (typeof user === 'string' && collection !== 'customer') needed.push({ collection: 'customer', key: user });
  if (collection === 'points_redemption' || collection === 'coupon_redemption') {
    if (typeof user === 'string') needed.push({ collection: 'fraud_user', key: user });
  }
  if (collection === 'points_redemption') {
    needed.push({ collection: 'points_ledger', key: `redemption:${key}/1` });
    const program = fields['program_id'];
    if (typeof user === 'string' && typeof program === 'string') needed.push({ collection: 'loyalty_summary', key: `${user}/${program}` });
  }
  const coupon = collection === 'coupon_redemption' ? fields['coupon_id'] : undefined;
  if (typeof coupon === 'string') {
    needed.push({ collection: 'coupon', key: coupon });
    const record = loaded.get('coupon', coupon);
    if (isThere(record)) needed.push({ collection: 'coupon_series', key: String(record.fields['series_id']) });
  }
  return needed;
}
