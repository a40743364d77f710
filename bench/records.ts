import type { FeedChange } from '../core/feed/route-change.ts';
import { parseRecord } from '../protocol/catalogue/record.ts';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import { couponOf, customer, transaction } from './floor/records.ts';

/** The shared records as changes of feeds, valid by the catalogue. */
const REV0 = 1_750_000_000_000;

export function customerChange(index: number, rev = 0): FeedChange {
  const { id, seq, updatedAt, phone, email, profile, loyalty } = customer(index, rev);
  return change('customer', REV0 + rev, {
    user_id: id,
    mobile: phone,
    email,
    external_id: String(seq),
    extended_fields: profile,
    labels: loyalty,
    auto_update_time: new Date(updatedAt).toISOString(),
  });
}

export function ledgerChange(index: number): FeedChange {
  const { id, at, customerId, store, kind, points, amount, receipt } = transaction(index);
  return change('points_ledger', REV0, {
    event_log_id: id,
    line_no: 1,
    user_id: customerId,
    entry_type: kind,
    points: String(points),
    created_at: new Date(at).toISOString(),
    transaction_number: receipt,
    transaction_amount: String(amount),
    currency_code: 'GBP',
    store_code: store,
  });
}

export function couponChange(index: number): FeedChange {
  const { id, customerId, code, state, series, validTo } = couponOf(index);
  return change('coupon', REV0, {
    coupon_id: id,
    code,
    series_id: series,
    issued_to: customerId,
    usage: state,
    valid_till: new Date(validTo).toISOString(),
    redemptions_left: 1,
  });
}

function change(name: string, rev: number, input: Record<string, unknown>): FeedChange {
  const collection = collectionOf(name);
  const parsed = parseRecord(collection, input);
  if (!parsed.ok) throw new Error(`${name}: ${JSON.stringify(parsed.issues)}`);
  return { feed: `${collection.component}@org`, collection: name, key: parsed.key, rev, fields: parsed.fields };
}

export function* range<T>(count: number, make: (index: number) => T): Generator<T> {
  for (let index = 0; index < count; index += 1) yield make(index);
}
