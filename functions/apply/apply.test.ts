import { beforeEach, describe, expect, test } from 'vitest';
import { clockAt } from '../../core/outbox/hybrid-clock.ts';
import { type OperationValue, receiptInVersion } from '../../protocol/operation.ts';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';
import { answerRing, applyReplica } from './apply.ts';
import { ringWaiting } from './ring-waiting.ts';
import { sweepHeld } from './release-held.ts';
import { discardException, resolveException } from './resolve-exception.ts';

let world: UploadWorld;
let outbox: TestOutbox;
let replicaId: string;

beforeEach(() => {
  world = new UploadWorld();
  outbox = new TestOutbox(world.now - 60_000);
  replicaId = world.replica('S1');
  world.edit('customer', { user_id: 'c1', firstname: 'Ann', loyalty_type: 'NON_LOYALTY' });
});

const bill = (id: string, more: Record<string, OperationValue> = {}) => ({
  till_code: 'T1',
  bill_client_id: id,
  type: 'REGULAR',
  number: `N${id}`,
  billing_time: '2026-11-23T08:00:00Z',
  billing_zone: 'Europe/London',
  amount: '12.5',
  currency_code: 'GBP',
  store_code: 'S1',
  user_id: 'c1',
  ...more,
});
const statuses = async () => (await world.send(replicaId, outbox)).map(({ status }) => status);

describe('facts', () => {
  test('INV-18: the same bill again is a duplicate, with other content a conflict, and what stands stays', async () => {
    outbox.put('bill', bill('1'));
    outbox.put('bill', bill('1'));
    outbox.put('bill', bill('1', { amount: '99' }));
    expect(await statuses()).toEqual(['ACCEPTED_EFFECTS_PENDING', 'DUPLICATE', 'CONFLICT']);
    expect(world.record('bill', 'T1/1')?.fields['amount']).toBe('12.5');
    const [exception] = [...world.uploads.exceptions.values()];
    expect(exception).toMatchObject({ receipt: { reason: 'the same key with another amount is there already' }, against: ['bill/T1/1'] });
  });

  test('a bill waits for its customer, holds up nobody, and is there as soon as the customer is', async () => {
    outbox.put('bill', bill('1', { user_id: 'new' }));
    outbox.put('bill', bill('2'));
    expect(await statuses()).toEqual(['HELD', 'ACCEPTED_EFFECTS_PENDING']);
    outbox.put('customer', { user_id: 'new', firstname: 'Bea' });
    expect(await statuses()).toEqual(['HELD', 'ACCEPTED_EFFECTS_PENDING', 'ACCEPTED']);
    expect(world.record('bill', 'T1/1')).not.toBeNull();
    expect(world.uploads.exceptions.size).toBe(0);
    expect(await world.uploads.readRevised(replicaId, 0, 9)).toMatchObject([
      { number: 1, receipt: { seq: 1, status: 'ACCEPTED_EFFECTS_PENDING' } },
    ]);
  });

  test('what a field may not hold is left out and said; a record without what it must have is refused', async () => {
    outbox.put('bill', bill('1', { discount: 'much', outlier_status: 'FRAUD', nonsense: 1 }));
    outbox.put('bill', bill('2', { amount: null }));
    const [warned, refused] = await world.send(replicaId, outbox);
    expect(warned).toMatchObject({ status: 'ACCEPTED_WITH_WARNINGS' });
    expect(Object.fromEntries(warned?.attributes.map(({ field, status }) => [field, status]) ?? [])).toEqual({
      discount: 'INVALID',
      nonsense: 'INVALID',
    });
    expect(refused).toMatchObject({ status: 'REJECTED', reason: 'amount is required' });
  });
});

describe('merges by field', () => {
  const edit = (fields: Record<string, OperationValue>, more = {}) =>
    outbox.add({ collection: 'customer', key: 'c1', kind: 'put', fields, base: world.record('customer', 'c1')?.rev ?? 0, ...more });

  test('changes of other fields both stay; of the same field the later one, and the other is in the audit', async () => {
    edit({ firstname: 'Anna' });
    edit({ lastname: 'Old' });
    world.now += 1_000;
    world.edit('customer', { user_id: 'c1', firstname: 'Ann', lastname: 'New', loyalty_type: 'NON_LOYALTY' });
    expect(await statuses()).toEqual(['MERGED', 'SUPERSEDED']);
    expect(world.record('customer', 'c1')?.fields).toMatchObject({ firstname: 'Anna', lastname: 'New' });
    expect(world.uploads.lost.map(({ field, lost, kept }) => [field, lost, kept])).toEqual([
      ['firstname', 'Ann', 'Anna'],
      ['lastname', 'Old', 'New'],
    ]);
  });

  test('a clock a day ahead counts as five minutes ahead; one a day behind loses only to what came later', async () => {
    edit({ firstname: 'Ahead' }, { clock: clockAt(world.now + 86_400_000) });
    expect(await statuses()).toEqual(['ACCEPTED']);
    expect(world.record('customer', 'c1')?.clocks?.['firstname']).toBe(clockAt(world.now + 300_000) + 1);
    world.now += 600_000;
    world.edit('customer', { user_id: 'c1', firstname: 'Office', loyalty_type: 'NON_LOYALTY' });
    edit({ firstname: 'Behind', city: 'Leeds' }, { clock: clockAt(world.now - 86_400_000), base: world.now - 86_400_000 });
    const receipts = await world.send(replicaId, outbox);
    expect(receipts[1]).toMatchObject({ status: 'MERGED', attributes: [{ field: 'firstname', status: 'CLOUD_OVERRIDDEN' }] });
    expect(world.record('customer', 'c1')?.fields).toMatchObject({ firstname: 'Office', city: 'Leeds' });
  });

  test('of one store’s changes the later one stays, however far its clock is ahead', async () => {
    const base = world.record('customer', 'c1')?.rev ?? 0;
    edit({ firstname: 'First' }, { clock: clockAt(world.now + 3_600_000), base });
    edit({ firstname: 'Second' }, { clock: clockAt(world.now + 3_660_000), base });
    await statuses();
    expect(world.record('customer', 'c1')?.fields).toMatchObject({ firstname: 'Second' });
  });

  test('whoever saw a value changed it later, whatever the two clocks say', async () => {
    edit({ firstname: 'Ahead' }, { clock: clockAt(world.now + 86_400_000) });
    await statuses();
    world.now += 60_000;
    edit({ firstname: 'Seen' }, { clock: clockAt(world.now) });
    expect((await statuses()).at(-1)).toBe('ACCEPTED');
    expect(world.record('customer', 'c1')?.fields).toMatchObject({ firstname: 'Seen' });
  });

  test('states go forward only, head office’s fields stay head office’s, withheld ones are not for stores', async () => {
    edit({ loyalty_type: 'LOYALTY', status: 'DELETED', religion: 'x' });
    edit({ loyalty_type: 'NON_LOYALTY' });
    const receipts = await world.send(replicaId, outbox);
    expect(receipts[0]).toMatchObject({
      status: 'ACCEPTED_WITH_WARNINGS',
      attributes: [
        { field: 'status', status: 'NOT_ALLOWED' },
        { field: 'religion', status: 'NOT_ALLOWED' },
      ],
    });
    expect(receipts[1]).toMatchObject({ status: 'SUPERSEDED', attributes: [{ field: 'loyalty_type', status: 'CLOUD_OVERRIDDEN' }] });
    expect(world.record('customer', 'c1')?.fields).toEqual({ user_id: 'c1', firstname: 'Ann', loyalty_type: 'LOYALTY' });
  });

  test('a change of what head office deleted is superseded, also when it was made before', async () => {
    edit({ firstname: 'Late' });
    world.now += 1;
    world.edit('customer', null, 'c1');
    expect(await statuses()).toEqual(['SUPERSEDED']);
    expect(world.record('customer', 'c1')?.deleted).toBe(true);
  });

  test('a grow-only set only grows', async () => {
    world.replica('S9', 'clienteling');
    const clienteling = new TestOutbox(world.now);
    const task = { store_code: 'S9', task_id: 't', title: 'x', executable_by_ids: '["a"]' };
    clienteling.put('task_metadata', task);
    clienteling.put('task_metadata', { ...task, executable_by_ids: '["b"]' });
    expect((await world.send('S9:r', clienteling)).map(({ status }) => status)).toEqual(['ACCEPTED', 'MERGED']);
    expect(world.record('task_metadata', 'S9/t')?.fields['executable_by_ids']).toBe('["a","b"]');
  });
});

describe('consent', () => {
  test('INV-19: an opt-out that head office made is not undone by an opt-in of before', async () => {
    world.edit('subscription', { ...consent, status: 'OPTOUT' });
    say('OPTIN', world.now - 5 * 3_600_000, { evidence: 'form' });
    expect(await statuses()).toEqual(['SUPERSEDED']);
    expect(world.record('subscription', 'c1/-/INSTORE/-/SMS/BULK')?.fields['status']).toBe('OPTOUT');
  });

  test('INV-19: an opt-in by a clock that is ahead, stored and applied half a day later, counts by when it was stored', async () => {
    say('OPTIN', world.now + 86_400_000, { evidence: 'form' });
    await world.push(replicaId, outbox);
    world.now += 3_600_000;
    const other = new TestOutbox(world.now);
    other.put('subscription', { ...consent, status: 'OPTOUT' });
    await world.send(world.replica('S2'), other);
    world.now += 11 * 3_600_000;
    await applyReplica(world.deps, replicaId);
    expect(world.record('subscription', 'c1/-/INSTORE/-/SMS/BULK')?.fields['status']).toBe('OPTOUT');
  });

  test('INV-19: an opt-in by a clock that is ahead counts by when it came in, however late it is judged', async () => {
    say('OPTIN', world.now + 86_400_000, { evidence: 'form', user_id: 'later' });
    expect(await statuses()).toEqual(['HELD']);
    world.now += 3_600_000;
    const other = new TestOutbox(world.now);
    other.put('customer', { user_id: 'later', firstname: 'Eve' });
    other.put('subscription', { ...consent, user_id: 'later', status: 'OPTOUT' });
    world.now += 11 * 3_600_000;
    await world.send(world.replica('S2'), other);
    expect(world.uploads.exceptions.size).toBe(0);
    expect(world.record('subscription', 'later/-/INSTORE/-/SMS/BULK')?.fields['status']).toBe('OPTOUT');
  });

  const consent = { user_id: 'c1', org_unit_id: '-', source: 'INSTORE', account_id: '-', channel: 'SMS', priority: 'BULK' };
  const say = (status: string, clock: number, more = {}) =>
    outbox.put('subscription', { ...consent, status, ...more }, { clock: clockAt(clock) });

  test('INV-19: an opt-out is never undone by an older opt-in, nor by one without evidence, nor by one at about the same time', async () => {
    const { now } = world;
    say('OPTOUT', now);
    say('OPTIN', now - 86_400_000, { evidence: 'form' });
    say('OPTIN', now + 240_000, { evidence: 'form' });
    expect(await statuses()).toEqual(['ACCEPTED', 'SUPERSEDED', 'SUPERSEDED']);
    world.now += 86_400_000;
    say('OPTIN', world.now);
    say('OPTIN', world.now, { evidence: 'form' });
    expect((await statuses()).slice(3)).toEqual(['SUPERSEDED', 'MERGED']);
    say('OPTOUT', world.now - 60_000);
    expect((await statuses()).slice(5)).toEqual(['MERGED']);
    expect(world.record('subscription', 'c1/-/INSTORE/-/SMS/BULK')?.fields['status']).toBe('OPTOUT');
  });
});

describe('claims', () => {
  test('an identifier belongs to who claimed it first', async () => {
    world.edit('customer', { user_id: 'c2' });
    const claim = { source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900001' };
    outbox.put('customer_identifier', { ...claim, user_id: 'c1' });
    outbox.put('customer_identifier', { ...claim, user_id: 'c1' });
    outbox.put('customer_identifier', { ...claim, user_id: 'c2' });
    const receipts = await world.send(replicaId, outbox);
    expect(receipts.map(({ status }) => status)).toEqual(['ACCEPTED', 'DUPLICATE', 'AWAITING_APPROVAL']);
    expect(receipts[2]?.attributes).toMatchObject([
      { field: 'value', status: 'TAKEN' },
      { field: 'user_id', status: 'AWAITING_APPROVAL' },
    ]);
    // An agent of before knows neither word.
    expect(receipts.map((receipt) => receiptInVersion(1, receipt).status)).toEqual(['ACCEPTED', 'DUPLICATE', 'CONFLICT']);
  });

  test('a claim of what another customer has waits for somebody’s yes; judged again without it, it still waits', async () => {
    world.edit('customer', { user_id: 'c2' });
    const claim = { source: 'INSTORE', account_id: '-', type: 'CARD', value: '1234' };
    world.edit('customer_identifier', { ...claim, user_id: 'c1', card_series: 'gold' });
    outbox.put('customer_identifier', { ...claim, user_id: 'c2' });
    await world.send(replicaId, outbox);
    const standing = () => {
      const [exception] = [...world.uploads.exceptions.values()];
      if (exception === undefined) throw new Error('it stands there');
      return exception;
    };
    expect(standing()).toMatchObject({ receipt: { status: 'AWAITING_APPROVAL' }, against: ['customer/c1'] });
    const again = await resolveException(world.deps, standing(), { operation: standing().operation, by: 'op' });
    expect(again.status).toBe('AWAITING_APPROVAL');
    const yes = await resolveException(world.deps, standing(), { operation: standing().operation, by: 'op', isApproved: true });
    expect(yes.status).toBe('ACCEPTED');
    expect(world.record('customer_identifier', 'INSTORE/-/CARD/1234')?.fields).toMatchObject({ user_id: 'c2', card_series: 'gold' });
    expect(world.uploads.lost.at(-1)).toMatchObject({ field: 'user_id', lost: 'c1', kept: 'c2' });
  });
});

describe('money', () => {
  const spend = (id: string, points: string) =>
    outbox.put('points_redemption', {
      external_reference_number: id,
      user_id: 'c1',
      program_id: 'p',
      points_redeemed: points,
      transaction_number: `B${id}`,
    });

  test('INV-16: points are spent once, and the balance is the ledger’s sum', async () => {
    world.edit('loyalty_summary', { user_id: 'c1', program_id: 'p', points: '100.5', available_points: '100.5' });
    spend('1', '60.25');
    spend('1', '60.25');
    spend('2', '50');
    spend('3', '40.25');
    expect(await statuses()).toEqual(['ACCEPTED', 'DUPLICATE', 'CONFLICT', 'ACCEPTED']);
    expect(world.record('loyalty_summary', 'c1/p')?.fields).toMatchObject({ points: '0', available_points: '0', redeemed_points: '100.5' });
    expect(world.record('points_ledger', 'redemption:1/1')?.fields).toMatchObject({ entry_type: 'DEBIT', points: '60.25' });
    expect([...world.uploads.exceptions.values()].map(({ against, receipt }) => [receipt.reason, against])).toEqual([
      ['there are 40.25 points, not 50', ['bill B1', 'bill B2']],
    ]);
  });

  test('INV-17: of two stores that redeem one coupon one wins, and the other’s exception shows both bills', async () => {
    world.edit('coupon_series', { series_id: 's' });
    world.edit('coupon', { coupon_id: 'k', code: 'K', series_id: 's', validity: 'ACTIVE' });
    const redeem = (of: TestOutbox, id: string) =>
      of.put('coupon_redemption', {
        redemption_client_id: id,
        coupon_id: 'k',
        redemption_time: '2026-11-23T08:00:00Z',
        transaction_number: `B${id}`,
      });
    const other = new TestOutbox(world.now);
    const otherId = world.replica('S2');
    redeem(outbox, '1');
    redeem(other, '2');
    const [one, two] = await Promise.all([world.send(replicaId, outbox), world.send(otherId, other)]);
    expect(new Set([one, two].map((receipts) => receipts[0]?.status))).toEqual(new Set(['ACCEPTED', 'CONFLICT']));
    expect(world.record('coupon', 'k')?.fields).toMatchObject({ redemption_count: 1, usage: 'REDEEMED' });
    expect(new Set([...world.uploads.exceptions.values()][0]?.against)).toEqual(new Set(['bill B1', 'bill B2']));
  });

  test('a coupon that is not valid, revoked or somebody else’s is a conflict', async () => {
    world.edit('coupon_series', { series_id: 's' });
    const coupon = { code: 'K', series_id: 's' };
    world.edit('coupon', { ...coupon, coupon_id: 'expired', valid_till: '2026-11-22T00:00:00Z' });
    world.edit('coupon', { ...coupon, coupon_id: 'early', active_from: '2026-11-24T00:00:00Z' });
    world.edit('coupon', { ...coupon, coupon_id: 'revoked', validity: 'REVOKED' });
    world.edit('coupon', { ...coupon, coupon_id: 'other', issued_to: 'c9' });
    for (const id of ['expired', 'early', 'revoked', 'other'])
      outbox.put('coupon_redemption', { redemption_client_id: id, coupon_id: id, user_id: 'c1', redemption_time: '2026-11-23T08:00:00Z' });
    expect(await statuses()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT']);
  });

  test('nothing is spent by somebody on the fraud list', async () => {
    world.edit('loyalty_summary', { user_id: 'c1', program_id: 'p', points: '100' });
    world.edit('fraud_user', { user_id: 'c1', status: 'CONFIRMED' });
    spend('1', '1');
    expect(await statuses()).toEqual(['CONFLICT']);
  });
});

describe('not for stores', () => {
  test.each<[string, string, Record<string, OperationValue>, RegExp]>([
    ['reference data', 'coupon_series', { series_id: 's' }, /written by head office only/],
    ['balances', 'loyalty_summary', { user_id: 'c1', program_id: 'p', points: '9' }, /written by head office only/],
    ['another edition', 'reminder', { store_code: 'S1', reminder_id: 'r' }, /not enabled/],
    ['no collection', 'nothing', { id: 'x' }, /no collection/],
  ])('%s', async (_, collection, fields, reason) => {
    outbox.add({ collection, key: Object.values(fields).join('/'), kind: 'put', fields });
    outbox.put('bill', bill('1'));
    const receipts = await world.send(replicaId, outbox);
    expect(receipts.map(({ status }) => status)).toEqual(['REJECTED', 'ACCEPTED_EFFECTS_PENDING']);
    expect(receipts[0]?.reason).toMatch(reason);
  });

  test('a record of another store, a key that is not of its fields, a delete of a fact', async () => {
    world.replica('S9', 'clienteling');
    const clienteling = new TestOutbox(world.now);
    clienteling.put('task_metadata', { store_code: 'S1', task_id: 't', title: 'x' });
    clienteling.put('bill', bill('2'));
    clienteling.put('bill', bill('1', { store_code: 'S9' }), { key: 'T1/2' });
    clienteling.add({ collection: 'bill', key: 'T1/1', kind: 'delete', fields: {} });
    expect((await world.send('S9:r', clienteling)).map(({ status, reason }) => [status, reason])).toEqual([
      ['REJECTED', 'it belongs to another store'],
      ['REJECTED', 'it belongs to another store'],
      ['REJECTED', 'the key is not the one its fields make'],
      ['REJECTED', 'a fact is never deleted; it is corrected by another one'],
    ]);
  });
});

describe('exceptions', () => {
  test('one that was mended is applied once, under its own id, and its replica hears of it', async () => {
    outbox.put('bill', bill('1', { amount: null }));
    await world.send(replicaId, outbox);
    const [exception] = [...world.uploads.exceptions.values()];
    if (exception === undefined) throw new Error('there is one');
    const mended = { ...exception.operation, fields: { ...exception.operation.fields, amount: '5' } };
    const [one, two] = await Promise.allSettled([1, 2].map(() => resolveException(world.deps, exception, { operation: mended, by: 'op' })));
    expect(new Set([one?.status, two?.status])).toEqual(new Set(['fulfilled', 'rejected']));
    expect(world.record('bill', 'T1/1')?.fields['amount']).toBe('5');
    expect(await world.uploads.readRevised(replicaId, 0, 9)).toMatchObject([
      { receipt: { opId: exception.opId, status: 'ACCEPTED_EFFECTS_PENDING' } },
    ]);
  });

  test('one that is discarded is closed with its reason', async () => {
    outbox.put('coupon_series', { series_id: 's' });
    await world.send(replicaId, outbox);
    const [exception] = [...world.uploads.exceptions.values()];
    if (exception === undefined) throw new Error('there is one');
    expect(await discardException(world.deps, exception, { by: 'op', reason: 'typed by mistake' })).toMatchObject({ status: 'DISCARDED' });
    await expect(discardException(world.deps, exception, { by: 'op', reason: 'again' })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(world.uploads.exceptions.size).toBe(0);
  });

  test('one that a copied disk sends too stands once, as it stands; both hear what becomes of it', async () => {
    const copy = new TestOutbox(world.now);
    const copyId = 'S1:copy';
    const replica = world.registry.replicas.get(replicaId);
    if (replica !== undefined) world.registry.replicas.set(copyId, { ...replica, replicaId: copyId });
    const held = outbox.put('bill', bill('1', { user_id: 'later' }));
    await world.send(replicaId, outbox);
    copy.put('bill', held.fields, { opId: held.opId });
    expect((await world.send(copyId, copy)).map(({ status }) => status)).toEqual(['HELD']);
    expect([...world.uploads.exceptions.values()]).toMatchObject([{ replicaId, copies: [copyId], version: 2 }]);
    world.edit('customer', { user_id: 'later', firstname: 'Eve' });
    expect(await sweepHeld(world.deps)).toBe(1);
    for (const id of [replicaId, copyId])
      expect(await world.uploads.readRevised(id, 0, 9)).toMatchObject([
        { number: 1, receipt: { opId: held.opId, status: 'ACCEPTED_EFFECTS_PENDING' } },
      ]);
  });

  test('the schedule reads many heads at once, and rings for those that wait', async () => {
    const many = Array.from({ length: 40 }, (_, index) => world.replica(`M${index}`));
    outbox.put('bill', bill('1'));
    await world.push(replicaId, outbox);
    world.rung.length = 0;
    let [reading, most] = [0, 0];
    const readHead = async (id: string) => {
      reading += 1;
      most = Math.max(most, reading);
      const head = await world.uploads.readHead(id);
      reading -= 1;
      return head;
    };
    expect(await ringWaiting({ ...world.deps, registry: world.registry, uploads: { readHead } })).toBe(1);
    expect([most, world.rung]).toEqual([16, [replicaId]]);
    expect(world.registry.replicas.size).toBeGreaterThan(many.length);
  });

  test('INV-11: a call whose time is over rings for the rest', async () => {
    outbox.put('bill', bill('1'));
    await world.push(replicaId, outbox);
    world.rung.length = 0;
    await answerRing({ ...world.deps, until: () => 0 }, replicaId);
    expect(world.rung).toEqual([replicaId]);
  });

  test('INV-11: a call that head office overtook with a record tries again, and leaves nothing', async () => {
    world.edit('customer', { user_id: 'c1', firstname: 'Ann' });
    outbox.put('customer', { user_id: 'c1', lastname: 'Lee' });
    await world.push(replicaId, outbox);
    let edits = 1;
    const getMany: typeof world.records.getMany = async (...asked) => {
      const found = await world.records.getMany(...asked);
      for (; edits > 0; edits -= 1) world.edit('customer', { user_id: 'c1', firstname: 'Anna' });
      return found;
    };
    expect(await applyReplica({ ...world.deps, records: { getMany } }, replicaId)).toEqual({ applied: 1, more: false });
  });

  test('INV-11: what is stored and nobody rang for is rung for by the schedule', async () => {
    outbox.put('bill', bill('1'));
    await world.push(replicaId, outbox);
    world.rung.length = 0;
    expect(await ringWaiting({ ...world.deps, registry: world.registry })).toBe(1);
    expect(world.rung).toEqual([replicaId]);
    await applyReplica(world.deps, replicaId);
    expect(await ringWaiting({ ...world.deps, registry: world.registry })).toBe(0);
  });

  test('one that another record took the place of is corrected, if that record is there', async () => {
    outbox.put('bill', bill('1', { amount: null }));
    outbox.put('bill', bill('2'));
    await world.send(replicaId, outbox);
    const [exception] = [...world.uploads.exceptions.values()];
    if (exception === undefined) throw new Error('there is one');
    const close = (key: string) =>
      discardException(world.deps, exception, { by: 'op', reason: 'entered again', replacedBy: { collection: 'bill', key } });
    await expect(close('T1/9')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await close('T1/2')).toMatchObject({ status: 'CORRECTED', reason: 'replaced by bill/T1/2: entered again' });
  });

  test('INV-14: what the database does not take is set aside alone', async () => {
    for (let index = 0; index < 20; index += 1) outbox.put('bill', bill(String(index)));
    const apply = world.uploads.apply.bind(world.uploads);
    world.uploads.apply = (step) => (step.writes.some(({ record }) => record.key === 'T1/13') ? Promise.resolve('refused') : apply(step));
    expect((await statuses()).map((status) => status === 'QUARANTINED')).toEqual(Array.from({ length: 20 }, (_, index) => index === 13));
    expect(world.record('bill', 'T1/19')).not.toBeNull();
  });

  test('INV-11: trouble that is not of the data sets nothing aside: it is tried again, and applied', async () => {
    outbox.put('bill', bill('1'));
    const apply = world.uploads.apply.bind(world.uploads);
    let calls = 0;
    world.uploads.apply = (step) => {
      calls += 1;
      return calls === 1 ? Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })) : apply(step);
    };
    await expect(statuses()).rejects.toThrow('ECONNRESET');
    expect(await statuses()).toEqual(['ACCEPTED_EFFECTS_PENDING']);
  });

  test('INV-25: what waited of a replica that was revoked since is not released by itself; a person may decide', async () => {
    outbox.put('bill', bill('1', { user_id: 'later' }));
    expect(await statuses()).toEqual(['HELD']);
    const replica = world.registry.replicas.get(replicaId);
    if (replica !== undefined) world.registry.replicas.set(replicaId, { ...replica, status: 'REVOKED' });
    world.edit('customer', { user_id: 'later', firstname: 'Eve' });
    expect(await sweepHeld(world.deps)).toBe(0);
    expect(world.record('bill', 'T1/1')).toBeNull();
    const [exception] = [...world.uploads.exceptions.values()];
    if (exception === undefined) throw new Error('it still stands');
    const decided = await resolveException(world.deps, exception, { operation: exception.operation, by: 'op' });
    expect(decided.status).toBe('ACCEPTED_EFFECTS_PENDING');
  });

  test('INV-11: what a retired replica had stored is rung for and applied, and what waited of it is released', async () => {
    outbox.put('bill', bill('1', { user_id: 'later' }));
    expect(await statuses()).toEqual(['HELD']);
    outbox.put('bill', bill('2'));
    await world.push(replicaId, outbox, { after: 1 });
    await world.registry.retireReplica(replicaId);
    world.rung.length = 0;
    expect(await ringWaiting({ ...world.deps, registry: world.registry })).toBe(1);
    expect(world.rung).toEqual([replicaId]);
    expect(await applyReplica(world.deps, replicaId)).toEqual({ applied: 1, more: false });
    world.edit('customer', { user_id: 'later', firstname: 'Eve' });
    expect(await sweepHeld(world.deps)).toBe(1);
    expect([world.record('bill', 'T1/1'), world.record('bill', 'T1/2')]).not.toContain(null);
  });

  test('INV-11: what waited of a revoked replica is released where a copy sent it too that is trusted', async () => {
    outbox.put('bill', bill('1', { user_id: 'later' }));
    expect(await statuses()).toEqual(['HELD']);
    const replica = world.registry.replicas.get(replicaId);
    if (replica === undefined) throw new Error('it is there');
    world.registry.replicas.set('S1:copy', { ...replica, replicaId: 'S1:copy', forkedFrom: replicaId });
    expect((await world.send('S1:copy', outbox)).map(({ status }) => status)).toEqual(['HELD']);
    await world.registry.revokeReplica(replicaId);
    world.edit('customer', { user_id: 'later', firstname: 'Eve' });
    expect(await sweepHeld(world.deps)).toBe(1);
    expect(world.record('bill', 'T1/1')).not.toBeNull();
  });

  test('INV-25: what a revoked replica had stored is not applied', async () => {
    outbox.put('bill', bill('1'));
    const replica = world.registry.replicas.get(replicaId);
    if (replica !== undefined) world.registry.replicas.set(replicaId, { ...replica, status: 'REVOKED' });
    expect(await world.send(replicaId, outbox)).toEqual([]);
    expect(world.record('bill', 'T1/1')).toBeNull();
  });
});

test('INV-12: a thousand operations go in steps that fit a transaction, in order, each with one receipt', async () => {
  for (let index = 0; index < 1_000; index += 1)
    outbox.add({ collection: 'customer', key: 'c1', kind: 'put', fields: { firstname: `n${index}` }, base: world.now });
  const sizes: number[] = [];
  const apply = world.uploads.apply.bind(world.uploads);
  world.uploads.apply = (step) => {
    sizes.push(step.writes.length + step.exceptions.length * 2 + step.lost.length);
    return apply(step);
  };
  const receipts = await world.send(replicaId, outbox);
  expect(receipts.map(({ seq }) => seq)).toEqual(outbox.operations.map(({ seq }) => seq));
  // The first one saw the record as it is.
  expect(receipts.map(({ status }) => status)).toEqual(['ACCEPTED', ...Array.from({ length: 999 }, () => 'MERGED')]);
  expect(world.record('customer', 'c1')?.fields['firstname']).toBe('n999');
  expect(sizes.length).toBeLessThan(1_000);
});

test('INV-12: one that does not fit ends the step, and smaller ones behind it wait for their turn', async () => {
  for (let index = 0; index < 96; index += 1) outbox.put('bill', bill(`s${index}`));
  outbox.put('bill', bill('held', { user_id: 'nobody' }));
  outbox.put('bill', bill('last'));
  const receipts = await world.send(replicaId, outbox);
  expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 98 }, (_, index) => index + 1));
  expect(receipts.map(({ status }) => status).filter((status) => status === 'HELD')).toHaveLength(1);
});
