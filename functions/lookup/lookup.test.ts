import { beforeEach, expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import type { LookupRequest } from '../../protocol/messages/lookup.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, WITHHELD } from '../../test/simulation/world/head-office.ts';
import { MemoryLookupAllowance } from '../../test/simulation/world/memory-lookup-allowance.ts';
import { type LookupDeps, lookup } from './lookup.ts';

let head: HeadOffice;
let deps: LookupDeps;
const who = {
  store: { storeId: 'S9', name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' },
  replica: { replicaId: 'S9:r', storeId: 'S9', publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' }, status: 'ACTIVE', enrolledAt: '' },
} as const;
const ask = (by: LookupRequest['by']) => lookup(deps, who, { protocol: 1, by });
const byMobile = { kind: 'identifier', type: 'MOBILE', value: '447700900007', source: 'INSTORE', accountId: '-' } as const;

beforeEach(async () => {
  head = new HeadOffice(Faults.none(), { rowsTarget: 4, rowsMax: 8 });
  head.scopes = { Customer: 'working-set' };
  deps = { records: head.records, allowance: new MemoryLookupAllowance(), clock: head.clock, settings: { withheld: new Set(WITHHELD) } };
  await head.write('customer', [{ user_id: '7', firstname: 'Ann', dob: '1990-01-01', registered_store: 'S1' }, { user_id: '8' }]);
  await head.write('customer_identifier', [{ source: 'INSTORE', account_id: '-', type: 'MOBILE', value: '447700900007', user_id: '7' }]);
  await head.write('loyalty_summary', [{ user_id: '7', program_id: 'P', points: '120' }]);
  await head.write(
    'bill',
    Array.from({ length: 25 }, (_, index) => ({
      till_code: 'T',
      bill_client_id: `b${index}`,
      type: 'REGULAR',
      number: `b${index}`,
      billing_time: new Date(Date.parse('2026-01-01T10:00:00Z') + index * 86_400_000).toISOString().replace('.000', ''),
      billing_zone: 'UTC',
      amount: '1',
      currency_code: 'GBP',
      store_code: 'S1',
      user_id: '7',
    })),
  );
});

test('INV-08: a customer with points and newest bills, by id or identifier, without what is withheld', async () => {
  const answer = await ask({ kind: 'user_id', userId: '7' });
  expect(answer.customer).toEqual({ user_id: '7', firstname: 'Ann', registered_store: 'S1' });
  expect(answer.loyalty).toEqual([expect.objectContaining({ points: '120' })]);
  expect(answer.bills.map((bill) => bill['number'])).toEqual(Array.from({ length: 20 }, (_, index) => `b${24 - index}`));
  expect(answer.billsMore).toBe(true);
  expect(Date.parse(answer.expiresAt) - head.now).toBe(limits.lookupLifeMs);
  expect(await ask(byMobile)).toEqual(answer);
  expect(await ask({ kind: 'user_id', userId: '8' })).toMatchObject({ loyalty: [], bills: [], billsMore: false });
});

test('nobody is found under what is not theirs, or when they are gone', async () => {
  await expect(ask({ kind: 'user_id', userId: '9' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ask({ ...byMobile, value: '44770090000' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(ask({ ...byMobile, value: '字'.repeat(254) })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await head.write('customer', [], ['7']);
  await expect(ask(byMobile)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a store asks for so many in an hour, found or not, and says when it may ask again', async () => {
  for (let count = 0; count < limits.lookupsPerHour; count += 1) await ask({ kind: 'user_id', userId: '9' }).catch(() => {});
  await expect(ask({ kind: 'user_id', userId: '7' })).rejects.toMatchObject({ code: 'LOOKUP_LIMIT', retryAfterMs: 3_600_000 });
  // Nor a copy of its disk.
  const copy = { ...who, replica: { ...who.replica, replicaId: 'S9:copy' } };
  await expect(lookup(deps, copy, { protocol: 1, by: { kind: 'user_id', userId: '7' } })).rejects.toMatchObject({ code: 'LOOKUP_LIMIT' });
  head.now += 3_600_000;
  expect(await ask({ kind: 'user_id', userId: '7' })).toMatchObject({ customer: { user_id: '7' } });
});
