import { expect, test } from 'vitest';
import { organizationSchema } from '../../protocol/organization.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { editRecords } from './edit-records.ts';

test('INV-49: the audit has which revisions went and came, and nothing of what they say', async () => {
  const clock = { now: () => 1_790_000_000_000 };
  const records = new MemoryRecordStore(Faults.none(), clock.now);
  const organization = organizationSchema.parse({ name: 'demo', displayName: 'D', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' });
  const edit = (puts: Record<string, unknown>[], deletes: string[] = []) =>
    editRecords({ records, clock, organization }, { op: 'records.write', collection: 'fraud_user', puts, deletes });
  const first = await edit([
    { user_id: '1', status: 'MARKED' },
    { user_id: '2', status: 'NOBODY KNOWS' },
  ]);
  expect(first.change).toEqual({
    before: { records: 0, revs: null },
    after: { records: 1, revs: expect.stringMatching(/^[0-9a-f]{64}$/) as string, rejected: 1 },
  });
  const second = await edit([{ user_id: '1', status: 'CONFIRMED' }]);
  expect(second.change?.before).toEqual({ records: 1, revs: first.change?.after?.['revs'] });
  expect(second.change?.after?.['revs']).not.toBe(first.change?.after?.['revs']);
  const same = await edit([{ user_id: '1', status: 'CONFIRMED' }]);
  expect(same.change).toEqual({ before: { records: 0, revs: null }, after: { records: 0, revs: null, rejected: 0 } });
});
