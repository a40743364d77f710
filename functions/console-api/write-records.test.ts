import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { limits } from '../../protocol/limits.ts';
import { writeRecords } from './write-records.ts';

const clock = { now: () => 1_000 };
const write = (collection: string, puts: readonly unknown[], deletes: readonly string[] = []) =>
  writeRecords({ records: new MemoryRecordStore(Faults.none(), clock.now), clock, scopes: {} }, { collection, puts, deletes });

test('the limit of a record is in bytes, whatever its characters', async () => {
  const template = (body: string) => ({ template_id: 't', locale: 'en', body });
  const wide = Math.ceil(limits.recordBytesMax / 3);
  expect(wide).toBeLessThan(100_000);
  expect(await write('communication_template', [template('€'.repeat(wide)), template('a'.repeat(wide))])).toMatchObject([
    { outcome: 'rejected', issues: [{ field: 'record', reason: `has more than ${limits.recordBytesMax} bytes` }] },
    { outcome: 'written' },
  ]);
});
