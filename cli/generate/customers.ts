import { DAY_MS, EPOCH_MS, type GeneratedRecord, day, instant, major } from './generated-record.ts';
import { Draw } from './random.ts';

/** Customer i with everything that hangs on it, shaped by the volumes of the domain page. Nobody real: names are words. */
const FIRST =
  'Ada Ben Cara Dev Elif Finn Gita Hugo Ines Jonas Kira Leo Mara Nils Olga Paul Quinn Rosa Sven Tara Uma Vera Wim Xenia Yara Zoe'.split(
    ' ',
  );
const LAST =
  'Amber Birch Cedar Dale Elder Fern Grove Hazel Iris Juniper Kelp Linden Maple North Oak Pine Quartz Reed Sage Thorn Umber Vale Willow Yew'.split(
    ' ',
  );
const CITIES = 'Ashford Brookdale Coldwell Dunmere Eastmoor Fairhaven Glenrock Highbury Ironbridge Kingsley'.split(' ');
const TIERS = ['Bronze', 'Silver', 'Gold', 'Platinum'] as const;
export const STORE_CODES = ['store-001', 'store-002', 'store-003', 'store-004'] as const;
const PROGRAM = 'main';
/** Of members: earned or redeemed within a year. */
const ACTIVE = 0.42;
const FRAUD = 0.002;

export function* customerRecords(seed: number, index: number): Generator<GeneratedRecord> {
  const draw = new Draw(seed, 'customer', index);
  const userId = String(1_000_000 + index);
  const store = draw.pick(STORE_CODES);
  const firstname = draw.pick(FIRST);
  const lastname = draw.pick(LAST);
  const mobile = `+44700${String(index).padStart(7, '0')}`;
  const email = `${firstname}.${lastname}.${index}@example.org`.toLowerCase();
  const registered = EPOCH_MS - draw.between(1, 2_000) * DAY_MS;
  yield record('customer', {
    user_id: userId,
    mobile,
    email,
    external_id: `C${userId}`,
    loyalty_type: 'LOYALTY',
    status: 'ACTIVE',
    firstname,
    lastname,
    gender: draw.pick(['FEMALE', 'MALE', 'OTHER']),
    dob: day(Date.UTC(1940 + draw.below(65), draw.below(12), 1 + draw.below(28))),
    city: draw.pick(CITIES),
    country: 'GB',
    registered_on: instant(registered),
    registered_store: store,
    registered_till: `${store}-t1`,
    source: 'INSTORE',
    extended_fields: { shirt_size: draw.pick(['S', 'M', 'L', 'XL']), newsletter: draw.chance(0.5) },
  });
  yield* contacts(draw, { userId, mobile, email, registered });
  yield* loyalty(draw, userId, registered);
  if (draw.chance(FRAUD))
    yield record('fraud_user', {
      user_id: userId,
      status: draw.pick(['MARKED', 'CONFIRMED']),
      blocks: ['REDEEM_POINTS'],
      modified_on: instant(EPOCH_MS - DAY_MS),
    });
  const coupons = draw.between(1, 2);
  for (let coupon = 0; coupon < coupons; coupon += 1) yield couponOf(draw, userId, `${userId}-${coupon}`);
  const bills = draw.chance(ACTIVE) ? draw.between(1, 3) : 0;
  for (let bill = 0; bill < bills; bill += 1) yield* billOf(draw, { userId, store, bill });
}

function* contacts(
  draw: Draw,
  { userId, mobile, email, registered }: { userId: string; mobile: string; email: string; registered: number },
): Generator<GeneratedRecord> {
  for (const [type, value] of [
    ['MOBILE', mobile],
    ['EMAIL', email],
  ] as const) {
    yield record('customer_identifier', {
      source: 'INSTORE',
      account_id: '-',
      type,
      value,
      user_id: userId,
      is_primary: true,
      is_verified: draw.chance(0.7),
    });
  }
  for (const channel of ['SMS', 'EMAIL']) {
    for (const priority of ['TRANS', 'BULK']) {
      const status = draw.chance(priority === 'TRANS' ? 0.95 : 0.6) ? 'OPTIN' : 'OPTOUT';
      yield record('subscription', {
        user_id: userId,
        org_unit_id: '-',
        source: 'INSTORE',
        account_id: '-',
        channel,
        priority,
        status,
        changed_at: instant(registered),
      });
    }
  }
  yield record('custom_field_value', {
    entity_type: 'CUSTOMER',
    entity_id: userId,
    scope: 'LOYALTY_REGISTRATION',
    name: 'occupation',
    value: draw.pick(['nurse', 'baker', 'pilot', 'teacher']),
  });
}

function* loyalty(draw: Draw, userId: string, registered: number): Generator<GeneratedRecord> {
  const tier = draw.below(TIERS.length);
  const points = draw.below(5_000_000) / 1_000;
  const asOf = instant(EPOCH_MS);
  yield record('loyalty_summary', {
    user_id: userId,
    program_id: PROGRAM,
    loyalty_id: `L${userId}`,
    points: points.toFixed(3),
    lifetime_points: (points * 3).toFixed(3),
    available_points: points.toFixed(3),
    lifetime_purchases: major(draw.below(1_000_000)),
    currency_code: 'GBP',
    as_of: asOf,
  });
  yield record('slab_state', {
    user_id: userId,
    program_id: PROGRAM,
    current_slab: TIERS[tier],
    slab_number: tier + 1,
    slab_expires_on: day(EPOCH_MS + 365 * DAY_MS),
  });
  const entries = draw.between(0, 2);
  for (let line = 0; line < entries; line += 1) {
    yield record('points_ledger', {
      event_log_id: `e${userId}`,
      line_no: line,
      user_id: userId,
      program_id: PROGRAM,
      event_name: 'TransactionAdd',
      entry_type: 'CREDIT',
      points: String(draw.between(1, 900)),
      points_category: 'Main',
      created_at: instant(Math.min(registered + draw.below(100) * DAY_MS, EPOCH_MS)),
    });
  }
}

function couponOf(draw: Draw, userId: string, couponId: string): GeneratedRecord {
  const issued = EPOCH_MS - draw.between(0, 40) * DAY_MS;
  return record('coupon', {
    coupon_id: couponId,
    code: `GIFT${draw.hex(10).toUpperCase()}`,
    series_id: `series-${1 + draw.below(5)}`,
    issued_to: userId,
    issued_on: instant(issued),
    valid_till: instant(issued + 45 * DAY_MS),
    usage: draw.chance(0.02) ? 'REDEEMED' : 'UNREDEEMED',
    validity: 'ACTIVE',
    redemptions_left: 1,
  });
}

function* billOf(draw: Draw, { userId, store, bill }: { userId: string; store: string; bill: number }): Generator<GeneratedRecord> {
  const key = { till_code: `${store}-t${draw.between(1, 3)}`, bill_client_id: `${userId}-${bill}` };
  const at = EPOCH_MS - draw.between(0, 700) * DAY_MS + draw.between(9, 20) * 3_600_000;
  const count = draw.between(1, 5);
  let total = 0;
  const lines: GeneratedRecord[] = [];
  for (let line = 1; line <= count; line += 1) {
    const qty = draw.between(1, 3);
    const rate = draw.between(199, 9_999);
    total += qty * rate;
    lines.push(
      record('bill_line', {
        ...key,
        line_seq: line,
        type: 'REGULAR',
        item_code: `sku-${draw.below(5_000)}`,
        qty: String(qty),
        rate: major(rate),
        value: major(qty * rate),
        amount: major(qty * rate),
        currency_code: 'GBP',
      }),
    );
  }
  yield record('bill', {
    ...key,
    type: 'REGULAR',
    number: `${store}/${draw.below(1_000_000)}`,
    billing_time: instant(at),
    billing_zone: 'Europe/London',
    business_date: day(at),
    amount: major(total),
    gross_amount: major(total),
    discount: '0',
    currency_code: 'GBP',
    user_id: userId,
    outlier_status: 'NORMAL',
    store_code: store,
  });
  yield* lines;
  yield record('payment', { ...key, pay_seq: 1, mode: draw.pick(['CASH', 'CARD']), value: major(total), currency_code: 'GBP' });
}

export function record(collection: string, fields: Record<string, unknown>): GeneratedRecord {
  return { collection, record: fields };
}
