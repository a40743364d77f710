import type { Fields } from '../../protocol/catalogue/record.ts';
import type { RedemptionCollection } from '../../protocol/messages/redeem.ts';
import type { OfflineRedemption } from '../../protocol/offline-redemption.ts';
import type { Operation } from '../../protocol/operation.ts';
import { pointsText, thousandths } from '../ledger/exact.ts';

/**
 * Whether a store may redeem on its own word, without head office's.
 *
 * The ceilings bound what head office has not decided about yet, however long that takes: what may be lost is at most
 * the ceiling of a store, not that times the days without a network (INV-47).
 */
export interface OfflineRedemptionInput {
  readonly collection: RedemptionCollection;
  readonly fields: Operation['fields'];
  readonly allowed: OfflineRedemption;
  /** Redemptions of the same collection that this store recorded and head office has not decided about. */
  readonly undecided: readonly Pick<Operation, 'fields'>[];
  /** Of the coupon, as this store has it; null: it does not, or it is about points. */
  readonly series: Fields | null;
}

/** Why not, in words for the till; null: it may. */
export function offlineRefusal({ collection, fields, allowed, undecided, series }: OfflineRedemptionInput): string | null {
  const sum = (operations: OfflineRedemptionInput['undecided']) =>
    operations.reduce((total, operation) => total + amountOf(collection, operation.fields), amountOf(collection, fields));
  const { perCustomer, perStore } = collection === 'points_redemption' ? allowed.points : allowed.coupons;
  const what = collection === 'points_redemption' ? 'points' : 'coupons';
  if (perStore === 0) return `this organization redeems no ${what} without head office`;
  if (series?.['is_offline_redemption'] === false) return 'coupons of this series are not redeemed without head office';
  const customer = fields['user_id'];
  const theirs = customer === undefined ? [] : undecided.filter((operation) => operation.fields['user_id'] === customer);
  if (sum(theirs) > thousandths(String(perCustomer)))
    return `at most ${perCustomer} ${what} of a customer are redeemed without head office, and ${said(collection, sum(theirs))} would be`;
  if (sum(undecided) > thousandths(String(perStore)))
    return `at most ${perStore} ${what} are redeemed in a store without head office, and ${said(collection, sum(undecided))} would be`;
  return null;
}

const ONE = thousandths('1');

/** In thousandths. */
function amountOf(collection: RedemptionCollection, fields: Operation['fields']): bigint {
  if (collection === 'coupon_redemption') return ONE;
  const points = thousandths(String(fields['points_redeemed'] ?? 0));
  return points > 0n ? points : 0n;
}

function said(collection: RedemptionCollection, amount: bigint): string {
  return collection === 'coupon_redemption' ? String(amount / ONE) : pointsText(amount);
}
