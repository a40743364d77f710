import { describe, expect, test } from 'vitest';
import { leastRoles, isAllowed } from '../../protocol/console-roles.ts';
import { ROLES } from '../../protocol/role.ts';
import { type ConsoleRequest, consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { MemoryAuditLog } from '../../test/simulation/world/memory-audit-log.ts';
import { audited } from './audited.ts';
import { changed, looked } from './done.ts';

function world() {
  const audit = new MemoryAuditLog();
  let made = 0;
  const ids = { next: () => `01890000-0000-7000-8000-00000000000${(made += 1)}` };
  const deps = { audit, clock: { now: () => Date.parse('2026-11-24T10:00:00.000Z') }, ids };
  const ask = (
    role: (typeof ROLES)[number],
    request: ConsoleRequest,
    run = () => Promise.resolve(changed({ done: true }, { active: 1 }, { active: 0 })),
  ) => audited(deps, { actor: { name: 'ann', subject: 'u1', role, via: 'OIDC' }, request: consoleRequestSchema.parse(request) }, run);
  return { audit, deps, ask };
}

const UUID = '01890000-0000-7000-8000-000000000002';
const revoke: ConsoleRequest = { op: 'store.revoke', storeId: 'S1', reason: 'stolen', by: 'ann' };

describe('the door of the console (INV-49)', () => {
  test('writes down before it does, and what came of it after', async () => {
    const { audit, ask } = world();
    const seen: (string | null)[] = [];
    const answer = await ask('admin', revoke, () => {
      seen.push(audit.entries[0]?.outcome ?? 'begun');
      return Promise.resolve(changed({ done: true }, { active: 1 }, { active: 0 }));
    });
    expect([answer, seen]).toEqual([{ done: true }, ['begun']]);
    expect(audit.entries).toMatchObject([
      {
        who: 'ann',
        op: 'store.revoke',
        target: 'S1',
        reason: 'stolen',
        outcome: 'DONE',
        change: { before: { active: 1 }, after: { active: 0 } },
      },
    ]);
  });

  test('does nothing that cannot be written down', async () => {
    const { deps } = world();
    const deaf = { ...deps, audit: { begin: () => Promise.reject(new Error('no table')), end: () => Promise.resolve() } };
    let ran = 0;
    const asked = {
      actor: { name: 'ann', subject: 'u1', role: 'admin', via: 'OIDC' } as const,
      request: consoleRequestSchema.parse(revoke),
    };
    await expect(audited(deaf, asked, () => Promise.resolve(looked({ ran: (ran += 1) })))).rejects.toThrow('no table');
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
    await ask('viewer', { op: 'store.list' }, () => Promise.resolve(looked({})));
    expect(audit.entries).toHaveLength(1);
  });

  test('values of records and their keys stay out of it, in whatever operation they come', async () => {
    const { audit, ask } = world();
    const [opId, by, secret] = [UUID, 'ann', 'Hepzibah'];
    const requests: ConsoleRequest[] = [
      { op: 'records.write', collection: 'customer', puts: [{ user_id: secret, firstname: secret }], deletes: [secret] },
      { op: 'records.get', collection: 'customer', key: secret },
      { op: 'records.lost', collection: 'customer', key: secret },
      { op: 'exceptions.replay', opId, fields: { firstname: secret }, reason: 'mended', by },
      { op: 'exceptions.discard', opId, reason: 'twice', replacedBy: { collection: 'customer', key: secret }, by },
    ];
    for (const request of requests) {
      const looks = request.op === 'records.get' || request.op === 'records.lost';
      await ask('admin', request, () => Promise.resolve(looks ? looked({}) : changed({}, null, null)));
    }
    expect(audit.entries.map(({ op, outcome }) => [op, outcome])).toEqual(requests.map(({ op }) => [op, 'DONE']));
    expect(JSON.stringify(audit.entries)).not.toContain(secret);
  });

  test('what changed something says so, and what only looked does not: the other is a bug', async () => {
    const { audit, ask } = world();
    await expect(ask('admin', revoke, () => Promise.resolve(looked({})))).rejects.toThrow('INV-49');
    const get: ConsoleRequest = { op: 'records.get', collection: 'customer', key: '7' };
    await expect(ask('admin', get, () => Promise.resolve(changed({}, null, null)))).rejects.toThrow('INV-49');
    expect(audit.entries.map(({ outcome }) => outcome)).toEqual(['INTERNAL', 'INTERNAL']);
  });

  test.each<[string, object]>([
    ['a revoked store', { op: 'store.revoke', storeId: 'S1', by: 'ann' }],
    ['a sale that is discarded', { op: 'exceptions.discard', opId: UUID, by: 'ann' }],
    ['a sale that is mended', { op: 'exceptions.replay', opId: UUID, fields: { amount: '1' }, by: 'ann' }],
    ['a rule that is overruled', { op: 'exceptions.replay', opId: UUID, approve: true, by: 'ann' }],
    ['a run that is stopped for another', { op: 'sync.manual', storeId: 'S1', takeOver: true, by: 'ann' }],
  ])('%s needs a reason', (_, request) => {
    expect(consoleRequestSchema.safeParse(request).error?.issues).toMatchObject([{ path: ['reason'] }]);
    expect(consoleRequestSchema.safeParse({ ...request, reason: 'because' }).success).toBe(true);
  });

  test('a higher role may do what a lower one may, and somebody may do each thing', () => {
    for (const op of Object.keys(leastRoles) as ConsoleRequest['op'][]) {
      const may = ROLES.map((role) => isAllowed(role, op));
      expect(may).toEqual(may.toSorted((a, b) => Number(a) - Number(b)));
      expect(may.at(-1)).toBe(true);
    }
  });
});
