import type { Fields } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { pointsText, thousandths } from '../ledger/exact.ts';
import { differingFacts } from './facts.ts';
import { addToSummary, spendable } from '../ledger/balance.ts';
import { seriesRefusal } from './series-rules.ts';
import { type StoreRecord, storeRecord } from './store-fields.ts';
import { type Case, type RecordChange, type Verdict, conflict, held, isThere, rejected, verdict } from './verdict.ts';

/**
 * What is spent: head office decides, in the transaction that writes it down. The first one that commits wins; the
 * second is a conflict that shows both bills, because the customer may have both goods already (INV-16, INV-17).
 */
type Spending = Extract<StoreRecord, { ok: true }>;

export function decideRedemption(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  if (operation.kind === 'delete') return rejected('what was spent is given back by head office, never deleted');
  const record = storeRecord(collection, operation.fields, input);
  if (!record.ok) return rejected(record.reason, record.attributes);
  if (record.key !== operation.key) return rejected('the key is not the one its fields make');
  const standing = records.get(collection.name, record.key);
  if (isThere(standing)) {
    const differs = differingFacts(collection, standing.fields, record.fields);
    if (differs.length === 0) return verdict('DUPLICATE');
    return conflict(`the same redemption with another ${differs.join(', ')} is there already`, [`${collection.name}/${record.key}`]);
  }
  return collection.name === 'points_redemption' ? spendPoints(collection, input, record) : redeemCoupon(collection, input, record);
}

/** Customers of whom nothing may be spent until somebody looked. */
const BLOCKED = new Set(['CONFIRMED', 'RECONFIRMED']);

function isBlocked({ records }: Case, customer: string): boolean {
  const entry = records.get('fraud_user', customer);
  return isThere(entry) && BLOCKED.has(String(entry.fields['status']));
}

function spendPoints(collection: Collection, input: Case, { fields, key, attributes }: Spending): Verdict {
  const { records, now } = input;
  const customer = String(fields['user_id']);
  if (!isThere(records.get('customer', customer))) return held('customer', customer);
  const program = fields['program_id'];
  if (program === undefined) return rejected('program_id is required: points belong to a program');
  const points = thousandths(String(fields['points_redeemed']));
  if (points <= 0n) return rejected('points_redeemed must be more than 0');
  if (isBlocked(input, customer)) return conflict('the customer is on the fraud list', [`fraud_user/${customer}`]);
  const summary = records.get('loyalty_summary', `${customer}/${String(program)}`);
  const left = spendable(isThere(summary) ? summary.fields : null);
  if (left < points) {
    const first = isThere(summary) ? summary.fields['last_spent_on'] : undefined;
    const bills = [...(first === undefined ? [] : [`bill ${String(first)}`]), ...billsOf(fields)];
    return conflict(`there are ${pointsText(left)} points, not ${pointsText(points)}`, bills);
  }
  const entry: Fields = {
    event_log_id: `redemption:${key}`,
    line_no: 1,
    user_id: customer,
    program_id: program,
    event_name: 'PointsRedemption',
    entry_type: 'DEBIT',
    points: String(fields['points_redeemed']),
    created_at: new Date(now).toISOString().replace('.000Z', 'Z'),
    ...copied(fields, ['transaction_number', 'store_code', 'till_code']),
  };
  const bill = fields['transaction_number'];
  const balance: Fields = {
    ...addToSummary(isThere(summary) ? summary.fields : null, entry),
    ...(bill === undefined ? {} : { last_spent_on: bill }),
  };
  return verdict(attributes.length > 0 ? 'ACCEPTED_WITH_WARNINGS' : 'ACCEPTED', {
    attributes,
    changes: [
      { collection: collection.name, key, fields: { ...fields, state: 'APPROVED', balance_after: String(balance['available_points']) } },
      { collection: 'points_ledger', key: `redemption:${key}/1`, fields: entry },
      { collection: 'loyalty_summary', key: `${customer}/${String(program)}`, fields: balance },
    ],
  });
}

function redeemCoupon(collection: Collection, input: Case, { fields, key, attributes }: Spending): Verdict {
  const { records } = input;
  const couponId = fields['coupon_id'];
  if (couponId === undefined) return conflict('the coupon is named by its code only; somebody has to find it', billsOf(fields));
  const coupon = records.get('coupon', String(couponId));
  if (!isThere(coupon)) return held('coupon', String(couponId));
  const series = records.get('coupon_series', String(coupon.fields['series_id']));
  const rules = isThere(series) ? series.fields : {};
  const refusal = refusalOf(coupon.fields, rules, fields) ?? seriesRefusal(rules, fields, input.store);
  if (refusal !== null) return conflict(refusal, [...billsOf(coupon.fields), ...billsOf(fields)]);
  const customer = fields['user_id'];
  if (customer !== undefined && isBlocked(input, String(customer)))
    return conflict('the customer is on the fraud list', [`fraud_user/${String(customer)}`]);
  return verdict(attributes.length > 0 ? 'ACCEPTED_WITH_WARNINGS' : 'ACCEPTED', {
    attributes,
    changes: [
      { collection: collection.name, key, fields: { ...fields, state: 'REDEEMED', ...copied(coupon.fields, ['zone_code']) } },
      usedCoupon(coupon.key, coupon.fields, { series: isThere(series) ? series.fields : {}, bill: fields['transaction_number'] }),
    ],
  });
}

/** How often a coupon may still be redeemed; null: no limit. */
function redemptionsLeft(coupon: Fields, series: Fields): number | null {
  const left = coupon['redemptions_left'];
  if (left !== undefined) return Number(left);
  const most = series['max_redeem'] ?? (series['is_multiple_use'] === true ? undefined : 1);
  return most === undefined ? null : Number(most) - Number(coupon['redemption_count'] ?? 0);
}

function refusalOf(coupon: Fields, series: Fields, redemption: Fields): string | null {
  const at = Date.parse(String(redemption['redemption_time']));
  const left = redemptionsLeft(coupon, series);
  if (left !== null && left <= 0) return 'the coupon is redeemed already';
  if (coupon['validity'] === 'REVOKED') return 'the coupon was revoked';
  if (coupon['validity'] === 'EXPIRED' || at > Date.parse(String(coupon['valid_till'] ?? '9999-12-31T00:00:00Z')))
    return 'the coupon is expired';
  if (at < Date.parse(String(coupon['active_from'] ?? '0000-01-01T00:00:00Z'))) return 'the coupon is not valid yet';
  const owner = coupon['issued_to'];
  const stranger = owner !== undefined && redemption['user_id'] !== undefined && owner !== redemption['user_id'];
  return stranger && series['any_user'] !== true ? 'the coupon belongs to another customer' : null;
}

function usedCoupon(
  key: string,
  coupon: Fields,
  { series, bill }: { readonly series: Fields; readonly bill: Fields[string] | undefined },
): RecordChange {
  const left = redemptionsLeft(coupon, series);
  return {
    collection: 'coupon',
    key,
    fields: {
      ...coupon,
      redemption_count: Number(coupon['redemption_count'] ?? 0) + 1,
      ...(left === null ? {} : { redemptions_left: left - 1 }),
      usage: left === null || left > 1 ? 'PARTLY_REDEEMED' : 'REDEEMED',
      ...(bill === undefined ? {} : { transaction_number: bill }),
    },
  };
}

function billsOf(fields: Fields): string[] {
  const bill = fields['transaction_number'];
  return bill === undefined ? [] : [`bill ${String(bill)}`];
}

function copied(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
}
