import type { HeadOffice } from './head-office.ts';
import type { Random } from './random.ts';

/**
 * One edit of main data by people at head office: several collections, every kind of scope, a component with two.
 * Few keys, so that the same ones are written, moved, deleted and made again.
 */
const ZONES = ['z0', 'z1'];
const STORES = ['S0', 'S1', 'S2'];

const EDITS: readonly ((office: HeadOffice, random: Random) => Promise<unknown>)[] = [
  (office, random) => {
    const user_id = `c${random.below(30)}`;
    if (random.chance(0.3)) return office.write('customer', [], [user_id]);
    return office.write('customer', [{ user_id, firstname: `n${random.below(5)}`, dob: '1990-01-01', loyalty_type: 'LOYALTY' }]);
  },
  (office, random) => {
    const puts = Array.from({ length: 1 + random.below(6) }, () => ({ user_id: `c${random.below(30)}`, firstname: `m${random.below(3)}` }));
    return office.write('customer', puts);
  },
  (office, random) => {
    const user_id = `c${random.below(8)}`;
    if (random.chance(0.4)) return office.write('fraud_user', [], [user_id]);
    return office.write('fraud_user', [{ user_id, status: random.of(['MARKED', 'CONFIRMED']) }]);
  },
  (office, random) => {
    const series_id = `s${random.below(6)}`;
    if (random.chance(0.2)) return office.write('coupon_series', [], [series_id]);
    return office.write('coupon_series', [{ series_id, zone_code: random.of(ZONES), num_issued: random.below(3) }]);
  },
  (office, random) => {
    const associate_id = `a${random.below(5)}`;
    if (random.chance(0.2)) return office.write('associate', [], [associate_id]);
    return office.write('associate', [{ associate_id, code: associate_id, store_code: random.of(STORES) }]);
  },
  (office, random) =>
    office.write('task_status_mapping', [{ status_id: `t${random.below(3)}`, status: 'OPEN', label: `l${random.below(4)}` }]),
  (office, random) => {
    const [store_code, task_id] = [random.of(STORES), `k${random.below(4)}`];
    if (random.chance(0.3)) return office.write('task_metadata', [], [`${store_code}/${task_id}`]);
    return office.write('task_metadata', [{ store_code, task_id, title: `t${random.below(4)}` }]);
  },
];

export async function edit(office: HeadOffice, random: Random): Promise<void> {
  office.now += random.chance(0.3) ? 0 : random.below(2_000);
  await random.of(EDITS)(office, random);
}
