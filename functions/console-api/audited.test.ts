import { describe, expect, test } from 'vitest';
import { ROLES, consoleRules, isAllowed } from '../../protocol/console-roles.ts';
import { type ConsoleRequest, consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { MemoryAuditLog } from '../../test/simulation/world/memory-audit-log.ts';
import { audited } from './audited.ts';

function world() {
  const audit = new MemoryAuditLog();
  const ids = { next: () => '01890000-0000-7000-8000-000000000001' };
  const deps = { audit, clock: { now: () => Date.parse('2026-11-24T10:00:00.000Z') }, ids };
  const ask = (role: (typeof ROLES)[number], request: ConsoleRequest, run: () => Promise<string> = () => Promise.resolve('done')) =>
    audited(deps, { actor: { name: 'ann', role, via: 'OIDC' }, request: consoleRequestSchema.parse(request) }, run);
  return { audit, deps, ask };
}

const revoke: ConsoleRequest = { op: 'store.revoke', storeId: 'S1', reason: 'stolen', by: 'ann' };

describe('the door of the console (INV-49)', () => {
  test('writes down before it does, and what came of it after', async () => {
    const { audit, ask } = world();
    const seen: (string | null)[] = [];
    const answer = await ask('admin', revoke, () => {
      seen.push(audit.entries[0]?.outcome ?? 'begun');
      return Promise.resolve('done');
    });
    expect([answer, seen]).toEqual(['done', ['begun']]);
    expect(audit.entries).toMatchObject([{ who: 'ann', op: 'store.revoke', target: 'S1', reason: 'stolen', outcome: 'DONE' }]);
  });

  test('does nothing that cannot be written down', async () => {
    const { deps } = world();
    const deaf = { ...deps, audit: { begin: () => Promise.reject(new Error('no table')), end: () => Promise.resolve() } };
    let ran = 0;
    const asked = { actor: { name: 'ann', role: 'admin', via: 'OIDC' } as const, request: consoleRequestSchema.parse(revoke) };
    await expect(audited(deaf, asked, () => Promise.resolve((ran += 1)))).rejects.toThrow('no table');
    expect(ran).toBe(0);
  });

  test('an error stands in it by its code, and one that is a bug as such', async () => {
    const { audit, ask } = world();
    await expect(ask('admin', revoke, () => Promise.reject(new SyncError('NOT_FOUND', 'no store')))).rejects.toThrow('no store');
    expect(audit.entries[0]?.outcome).toBe('NOT_FOUND');
    const other = world();
    await expect(other.ask('admin', revoke, () => Promise.reject(new Error('oh')))).rejects.toThrow('oh');
    expect(other.audit.entries[0]?.outcome).toBe('INTERNAL');
  });

  test('who may not is refused, and that is written down; looking at what is about nobody is not', async () => {
    const { audit, ask } = world();
    await expect(ask('operator', revoke)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(audit.entries).toMatchObject([{ op: 'store.revoke', outcome: 'FORBIDDEN' }]);
    await ask('viewer', { op: 'store.list' });
    expect(audit.entries).toHaveLength(1);
  });

  test('a higher role may do what a lower one may, and somebody may do each thing', () => {
    for (const op of Object.keys(consoleRules) as ConsoleRequest['op'][]) {
      const may = ROLES.map((role) => isAllowed(role, op));
      expect(may).toEqual(may.toSorted((a, b) => Number(a) - Number(b)));
      expect(may.at(-1)).toBe(true);
    }
  });
});
