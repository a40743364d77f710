import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { describeIssues } from '../http/http-function.ts';
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

test('a key that no record can have is rejected by itself', async () => {
  expect(await write('customer', [{ user_id: '1' }], ['', 'k'.repeat(1_025), 'a b', '2'])).toMatchObject([
    { outcome: 'written', key: '1' },
    { outcome: 'rejected', issues: [{ field: 'key', reason: 'is empty' }] },
    { outcome: 'rejected', issues: [{ field: 'key', reason: 'has more than 1024 bytes' }] },
    { outcome: 'rejected', issues: [{ field: 'key', reason: 'must be printable ASCII without blanks' }] },
    { outcome: 'unchanged', key: '2' },
  ]);
});

test('a record whose fields make too long a key is rejected by itself', async () => {
  const identifier = (value: string) => ({ source: 'INSTORE', account_id: 'a', type: 'EMAIL', value, user_id: '1' });
  expect(await write('customer_identifier', [identifier('€'.repeat(200)), identifier('€')])).toMatchObject([
    { outcome: 'rejected', issues: [{ field: 'key', reason: 'has more than 1024 bytes' }] },
    { outcome: 'written' },
  ]);
});

test('a request may carry keys of any kind, because each is judged by itself', () => {
  const parsed = consoleRequestSchema.safeParse({ op: 'records.write', collection: 'customer', deletes: ['', 'k'.repeat(2_000)] });
  expect(parsed.success).toBe(true);
});

test.each(['', 'k'.repeat(1_025)])('a get says that its key is the reason: %#', (key) => {
  const parsed = consoleRequestSchema.safeParse({ op: 'records.get', collection: 'customer', key });
  expect(describeIssues(parsed.error!)).toMatch(/^key: /);
});
