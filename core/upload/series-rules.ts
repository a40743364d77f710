import type { Fields } from '../../protocol/catalogue/record.ts';

/**
 * What a series says of where, when and on what a coupon of it may be redeemed, beside the coupon's own validity. How often one
 * customer may redeem in a series is not judged here: it needs all redemptions of the customer.
 */
export function seriesRefusal(series: Fields, redemption: Fields, store: { readonly storeId: string }): string | null {
  return whenRefusal(series, redemption) ?? amountRefusal(series, redemption) ?? whereRefusal(series, redemption, store);
}

/** Where it is latest: a till that does not say its zone is given the benefit of the doubt. */
const LAST_ZONE = 'Etc/GMT+12';

function whenRefusal(series: Fields, redemption: Fields): string | null {
  const day = localDay(String(redemption['redemption_time']), String(redemption['redemption_zone'] ?? LAST_ZONE));
  if (series['valid_till'] !== undefined && day > String(series['valid_till'])) return 'the series has ended';
  if (series['redemption_valid_from'] !== undefined && day < String(series['redemption_valid_from']))
    return 'coupons of the series are not redeemed yet';
  return null;
}

/** `2026-11-23`, as the till's calendar had it. */
function localDay(instant: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(Date.parse(instant));
}

function amountRefusal({ min_bill_amount: min, max_bill_amount: max }: Fields, { bill_amount: amount }: Fields): string | null {
  if (amount === undefined) return null;
  if (min !== undefined && Number(amount) < Number(min)) return 'the bill is too small for the coupon';
  return max !== undefined && Number(amount) > Number(max) ? 'the bill is too large for the coupon' : null;
}

/** Only if it names stores or tills alone: which stores are of a zone or a concept is not known here. */
function whereRefusal({ redeem_at: places }: Fields, redemption: Fields, { storeId }: { readonly storeId: string }): string | null {
  if (places === undefined) return null;
  const { stores, tills, zones, concepts } = JSON.parse(String(places)) as Readonly<Record<string, unknown>>;
  if (isList(zones) || isList(concepts) || (!isList(stores) && !isList(tills))) return null;
  const isHere = (isList(stores) && stores.includes(storeId)) || (isList(tills) && tills.includes(redemption['till_code']));
  return isHere ? null : 'coupons of the series are not redeemed in this store';
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}
