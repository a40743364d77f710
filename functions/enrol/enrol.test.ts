import { expect, test } from 'vitest';
import { sha256Hex } from '../../codec/pack.ts';
import { normalizeCode } from '../../core/enrolment-code.ts';
import { limits } from '../../protocol/limits.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryWrongCodes } from '../../test/simulation/world/memory-wrong-codes.ts';
import { enrol } from './enrol.ts';

const START = Date.parse('2026-11-23T08:20:00.000Z');
const CODE = 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA';

async function world() {
  const time = { now: START };
  const registry = new MemoryStoreRegistry();
  registry.stores.set('S1', { storeId: 'S1', name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
  await registry.putEnrolmentCode({ sha256: sha256Hex(normalizeCode(CODE)), storeId: 'S1', issuedAt: 0, expiresAt: START * 2 });
  const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey);
  const deps = {
    registry,
    wrongCodes: new MemoryWrongCodes(),
    clock: { now: () => time.now },
    ids: { next: () => 'u' },
    organization: 'demo',
  };
  const key = { kty: 'EC', crv: 'P-256', x, y } as const;
  const attempt = (code: string, address = '203.0.113.9') => enrol(deps, { protocol: 2, code, publicKey: key, agentVersion: '1' }, address);
  const guess = (address?: string) => expect(attempt('B'.repeat(26), address)).rejects.toMatchObject({ code: 'CODE_INVALID' });
  return { time, attempt, guess };
}

test('after as many wrong codes as an address has in an hour no other is looked at, not even a right one, until the hour is over', async () => {
  const { time, attempt, guess } = await world();
  for (let tries = 0; tries < limits.wrongCodesPerHour; tries += 1) await guess();
  await expect(attempt(CODE)).rejects.toMatchObject({ code: 'ENROL_LIMIT', retryAfterMs: 40 * 60_000 });
  await guess('203.0.113.10');
  time.now += 40 * 60_000;
  expect((await attempt(CODE)).replicaId).toBe('S1:u');
});

test('right codes count for nothing, also when they are said again', async () => {
  const { attempt, guess } = await world();
  for (let tries = 1; tries < limits.wrongCodesPerHour; tries += 1) await guess();
  for (let times = 0; times < 10; times += 1) expect((await attempt(CODE)).replicaId).toBe('S1:u');
});

test('who has a whole net of IPv6 is one', async () => {
  const { attempt, guess } = await world();
  for (let tries = 0; tries < limits.wrongCodesPerHour; tries += 1) await guess(`2001:db8:1:2::${tries}`);
  await expect(attempt(CODE, '2001:db8:1:2:ffff::1')).rejects.toMatchObject({ code: 'ENROL_LIMIT' });
  expect((await attempt(CODE, '2001:db8:1:3::1')).replicaId).toBe('S1:u');
});
