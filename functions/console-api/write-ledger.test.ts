import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WriteOutcome } from '../../protocol/messages/console.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { writeRecords } from './write-records.ts';

class HeadOffice {
  now = 1_000;
  readonly records = new MemoryRecordStore(Faults.none(), () => this.now);

  write(collection: string, ...puts: object[]): Promise<WriteOutcome[]> {
    return writeRecords({ records: this.records, clock: { now: () => this.now }, scopes: {} }, { collection, puts, deletes: [] });
  }

  remove(collection: string, key: string): Promise<WriteOutcome[]> {
    return writeRecords({ records: this.records, clock: { now: () => this.now }, scopes: {} }, { collection, puts: [], deletes: [key] });
  }

  fields(collection: string, key: string) {
    return this.records.records.get(`${collection}/${key}`)?.fields;
  }
}

const entry = (id: string, points: string, more: object = {}) => ({
  event_log_id: id,
  line_no: 1,
  user_id: 'ann',
  program_id: 'P',
  event_name: 'TransactionAdd',
  entry_type: 'CREDIT',
  points,
  created_at: '2026-11-23T08:00:00Z',
  ...more,
});

test('INV-16: an entry of head office moves the balance in its own transaction, once', async () => {
  const office = new HeadOffice();
  expect(await office.write('points_ledger', entry('e1', '100'), entry('e2', '30.5', { entry_type: 'DEBIT' }))).toMatchObject([
    { outcome: 'written' },
    { outcome: 'written' },
  ]);
  const summary = { points: '69.5', available_points: '69.5', lifetime_points: '100', ledger_seq: 2 };
  expect(office.fields('loyalty_summary', 'ann/P')).toMatchObject(summary);
  expect(await office.write('points_ledger', entry('e1', '100'), entry('e1', '100'), entry('e3', '1'), entry('e3', '1'))).toMatchObject([
    { outcome: 'unchanged' },
    { outcome: 'unchanged' },
    { outcome: 'written' },
    { outcome: 'unchanged' },
  ]);
  expect(office.fields('loyalty_summary', 'ann/P')).toMatchObject({ points: '70.5', ledger_seq: 3 });
});

test('INV-18: an entry never changes and never goes, and says what it needs', async () => {
  const office = new HeadOffice();
  await office.write('points_ledger', entry('e1', '100'));
  expect(await office.write('points_ledger', entry('e1', '101'), entry('e2', '5', { program_id: undefined }))).toMatchObject([
    { outcome: 'rejected', issues: [{ field: 'record' }] },
    { outcome: 'rejected', issues: [{ field: 'program_id' }] },
  ]);
  expect(await office.remove('points_ledger', 'e1/1')).toMatchObject([{ outcome: 'rejected' }]);
  expect(await office.remove('loyalty_summary', 'ann/P')).toMatchObject([{ outcome: 'rejected' }]);
  expect(office.fields('loyalty_summary', 'ann/P')).toMatchObject({ points: '100', ledger_seq: 1 });
});

test('a balance that was brought has the entries up to then in it, and moves by those after', async () => {
  const office = new HeadOffice();
  await office.write('loyalty_summary', { user_id: 'ann', program_id: 'P', points: '500', as_of: '2026-11-23T08:00:00Z', ledger_seq: 77 });
  await office.write('points_ledger', entry('old', '400'), entry('new', '20', { created_at: '2026-11-23T08:00:01Z' }));
  expect(office.fields('loyalty_summary', 'ann/P')).toMatchObject({ points: '520', ledger_seq: 1, opened_at: '2026-11-23T08:00:00Z' });
  expect(office.fields('points_ledger', 'old/1')).toMatchObject({ points: '400' });
});

test('a balance that entries moved is not set by hand; what is not a balance is', async () => {
  const office = new HeadOffice();
  await office.write('loyalty_summary', { user_id: 'ann', program_id: 'P', points: '500', as_of: '2026-11-23T07:00:00Z' });
  expect(
    await office.write('loyalty_summary', { user_id: 'ann', program_id: 'P', points: '600', as_of: '2026-11-23T07:00:00Z' }),
  ).toMatchObject([{ outcome: 'written' }]);
  await office.write('points_ledger', entry('e1', '1'));
  expect(await office.write('loyalty_summary', { user_id: 'ann', program_id: 'P', points: '700' })).toMatchObject([
    { outcome: 'rejected', issues: [{ field: 'points' }] },
  ]);
  expect(await office.write('loyalty_summary', { user_id: 'ann', program_id: 'P', loyalty_id: 'L1' })).toMatchObject([
    { outcome: 'written' },
  ]);
  expect(office.fields('loyalty_summary', 'ann/P')).toMatchObject({ points: '601', loyalty_id: 'L1', ledger_seq: 1 });
});

test('points ever earned give the tier, with what is missing for the next; an entry never lowers it', async () => {
  const office = new HeadOffice();
  const tier = (slab_number: number, name: string, from_points?: string) => ({ program_id: 'P', slab_number, name, from_points });
  await office.write('slab_definition', tier(1, 'Bronze', '0'), tier(2, 'Silver', '100'), tier(3, 'Gold', '1000'), tier(4, 'Staff'));
  await office.write('points_ledger', entry('e1', '99.5'));
  expect(office.fields('slab_state', 'ann/P')).toMatchObject({ slab_number: 1, next_slab: 'Silver', gap_to_upgrade: '{"points":"0.5"}' });
  await office.write('points_ledger', entry('e2', '0.5'), entry('e3', '50', { entry_type: 'DEBIT' }));
  expect(office.fields('slab_state', 'ann/P')).toMatchObject({
    current_slab: 'Silver',
    next_slab_number: 3,
    gap_to_upgrade: '{"points":"900"}',
  });
  await office.write('slab_state', { user_id: 'ann', program_id: 'P', current_slab: 'Staff', slab_number: 4 });
  await office.write('points_ledger', entry('e4', '5000'));
  expect(office.fields('slab_state', 'ann/P')).toEqual({ user_id: 'ann', program_id: 'P', current_slab: 'Staff', slab_number: 4 });
  await office.write('points_ledger', entry('other', '5', { program_id: 'Q' }));
  expect(office.fields('slab_state', 'ann/Q')).toBeUndefined();
});

test('INV-16: whatever is refused, lost or late, a balance is the sum of its ledger', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), fc.nat(9), fc.nat(2)), { minLength: 1, maxLength: 30 }),
      fc.infiniteStream(fc.nat(9)),
      async (wanted, luck) => {
        let now = 1_000;
        const faults = new Faults(() => (['refuse', 'lose'] as const)[luck.next().value ?? 9] ?? 'none');
        const records = new MemoryRecordStore(faults, () => now);
        const deps = { records, clock: { now: () => (now += 1) }, scopes: {} };
        const puts = wanted.map(([id, points, user]) => entry(`e${id}`, String(points + 1), { user_id: `u${user}`, line_no: user }));
        const some = [puts.slice(0, puts.length / 2), puts.slice(puts.length / 2), puts];
        const write = (batch: object[]) => writeRecords(deps, { collection: 'points_ledger', puts: batch, deletes: [] });
        await Promise.allSettled(some.map(write));
        const live = [...records.records.values()];
        for (const user of ['u0', 'u1', 'u2']) {
          const sum = live
            .filter(({ collection, fields }) => collection === 'points_ledger' && fields['user_id'] === user)
            .reduce((total, { fields }) => total + Number(fields['points']), 0);
          expect(records.records.get(`loyalty_summary/${user}/P`)?.fields['points'] ?? '0').toBe(String(sum));
        }
      },
    ),
    { numRuns: 200 },
  );
});
