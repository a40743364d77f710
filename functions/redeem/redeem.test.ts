import { beforeEach, expect, test } from 'vitest';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';
import type { RedeemRequest } from '../../protocol/messages/redeem.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { redeem } from './redeem.ts';

let world: UploadWorld;
let replicaId: string;
let ids = 0;

beforeEach(() => {
  world = new UploadWorld();
  replicaId = world.replica('S1');
  world.edit('customer', { user_id: 'c1' });
  world.edit('loyalty_summary', { user_id: 'c1', program_id: 'p', points: '100', available_points: '100' });
});

const points = { external_reference_number: '1', user_id: 'c1', program_id: 'p', points_redeemed: '60', transaction_number: 'B1' };

async function ask(collection: RedeemRequest['collection'], fields: RedeemRequest['fields'], scopes = {}) {
  const caller = await world.registry.readReplica(replicaId);
  if (caller === null) throw new Error('the store is there');
  const deps = {
    records: world.records,
    clock: { now: () => world.now },
    ids: { next: () => `00000000-0000-7000-8000-${String((ids += 1)).padStart(12, '0')}` },
    settings: { scopes, withheld: new Set<string>() },
  };
  return redeem(deps, caller, { protocol: 1, collection, fields });
}

const balance = () => world.record('loyalty_summary', 'c1/p')?.fields['points'];

test('INV-48: what is approved is spent when the answer is given, and asking again spends nothing more', async () => {
  expect(await ask('points_redemption', points)).toMatchObject({
    key: '1',
    outcome: 'APPROVED',
    isRepeat: false,
    balanceAfter: '40',
    reason: null,
  });
  expect(await ask('points_redemption', points)).toMatchObject({ outcome: 'APPROVED', isRepeat: true, balanceAfter: '40' });
  expect(balance()).toBe('40');
  // Nor does the same record that comes with an upload, because the till never heard the answer.
  const outbox = new TestOutbox(world.now);
  outbox.put('points_redemption', points);
  expect(await world.send(replicaId, outbox)).toMatchObject([{ status: 'DUPLICATE' }]);
  expect(balance()).toBe('40');
});

test('INV-48: what is declined changed nothing and is nobody’s exception', async () => {
  const declined = [
    await ask('points_redemption', { ...points, points_redeemed: '100.5' }),
    await ask('points_redemption', { ...points, user_id: 'stranger' }),
    await ask('points_redemption', { ...points, points_redeemed: '-1' }),
    await ask('points_redemption', { ...points, points_redeemed: 'ten' }),
    await ask('coupon_redemption', { redemption_client_id: '1', coupon_id: 'none', redemption_time: '2026-11-23T08:00:00Z' }),
    await ask('coupon_redemption', { redemption_client_id: '1', code: 'K', redemption_time: '2026-11-23T08:00:00Z' }),
  ];
  for (const answer of declined) expect(answer).toMatchObject({ outcome: 'DECLINED', balanceAfter: null, isRepeat: false });
  expect(declined.map(({ reason }) => reason)).toEqual([
    'there are 100 points, not 100.5',
    'waits for its customer',
    expect.stringMatching(/points_redeemed/),
    expect.stringMatching(/points_redeemed/),
    'waits for its coupon',
    expect.stringMatching(/code/),
  ]);
  expect(balance()).toBe('100');
  expect(world.record('points_redemption', '1')).toBeNull();
  expect(world.uploads.exceptions.size).toBe(0);
  await expect(ask('points_redemption', { user_id: 'c1' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('INV-16: of redemptions at the same time no more is approved than there is', async () => {
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, index) =>
      ask('points_redemption', { ...points, external_reference_number: String(index), points_redeemed: '30' }).catch(
        (error: unknown) => error,
      ),
    ),
  );
  const approved = answers.filter((answer) => !(answer instanceof SyncError) && (answer as { outcome: string }).outcome === 'APPROVED');
  expect(approved).toHaveLength(3);
  expect(balance()).toBe('10');
});

test('INV-17: a coupon is redeemed once, and its zone comes with it', async () => {
  const scopes = { 'Voucher Series': 'zone' } as const;
  world.edit('coupon_series', { series_id: 's', zone_code: 'north' });
  world.edit('coupon', { coupon_id: 'k', code: 'K', series_id: 's', zone_code: 'north', validity: 'ACTIVE' });
  const coupon = { coupon_id: 'k', redemption_time: '2026-11-23T08:00:00Z', transaction_number: 'B1' };
  expect(await ask('coupon_redemption', { ...coupon, redemption_client_id: '1' }, scopes)).toMatchObject({ outcome: 'APPROVED' });
  expect(await ask('coupon_redemption', { ...coupon, redemption_client_id: '1' }, scopes)).toMatchObject({
    outcome: 'APPROVED',
    isRepeat: true,
  });
  expect(await ask('coupon_redemption', { ...coupon, redemption_client_id: '2' }, scopes)).toMatchObject({
    outcome: 'DECLINED',
    reason: 'the coupon is redeemed already',
  });
  expect(world.record('coupon_redemption', '1')).toMatchObject({ scopes: ['zone:north'], fields: { zone_code: 'north' } });
  expect(world.record('coupon', 'k')?.fields).toMatchObject({ redemption_count: 1, redemptions_left: 0 });
});

test('INV-25: nothing is redeemed for a replica that was revoked since it was let in', async () => {
  const getMany = world.records.getMany.bind(world.records);
  world.records.getMany = async (...input) => {
    await world.registry.revokeReplica(replicaId);
    return getMany(...input);
  };
  await expect(ask('points_redemption', points)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect([balance(), world.record('points_redemption', '1')]).toEqual(['100', null]);
});
