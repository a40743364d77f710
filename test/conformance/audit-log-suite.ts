import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../core/ports/audit-log.ts';

/** What every audit log must do; a month of its own for each test, because nothing can be taken away. */
export function auditLogSuite(open: () => AuditLog): void {
  describe('an audit log', () => {
    const entry = (at: string, n: number) => ({
      auditId: uuidv7({ msecs: Date.parse(at) + n, seq: n, random: new Uint8Array(16) }),
      at,
      who: `person ${n}`,
      role: 'admin' as const,
      via: 'OIDC' as const,
      op: 'store.revoke',
      target: 'S1',
      reason: null,
      request: { storeId: 'S1' },
    });

    const done = { outcome: 'DONE', change: { before: { active: 1 }, after: { active: 0, revoked: ['S1:a'] } } };

    test('newest first, each with what came of it, page by page', async () => {
      const log = open();
      const all = [1, 2, 3, 4, 5].map((n) => entry('2021-03-05T10:00:00.000Z', n));
      for (const one of all) await log.begin(one);
      for (const one of all.slice(0, 4)) await log.end(one.auditId, done);
      const first = await log.list({ month: '2021-03', after: null, limit: 2 });
      expect(first.entries.map(({ who, outcome }) => [who, outcome])).toEqual([
        ['person 5', null],
        ['person 4', 'DONE'],
      ]);
      const second = await log.list({ month: '2021-03', after: first.next, limit: 2 });
      const third = await log.list({ month: '2021-03', after: second.next, limit: 2 });
      expect([...second.entries, ...third.entries].map(({ who }) => who)).toEqual(['person 3', 'person 2', 'person 1']);
      expect(third.next).toBeNull();
      expect(third.entries[0]).toEqual({ ...all[0], ...done });
    });

    test('what is there stays as it was', async () => {
      const log = open();
      const one = entry('2021-04-05T10:00:00.000Z', 1);
      await log.begin(one);
      await log.end(one.auditId, done);
      await log.end(one.auditId, { outcome: 'NOT_FOUND', change: null }).catch(() => {});
      await log.begin({ ...one, who: 'another' }).catch(() => {});
      const { entries } = await log.list({ month: '2021-04', after: null, limit: 10 });
      expect(entries.map(({ who, outcome }) => [who, outcome])).toEqual([['person 1', 'DONE']]);
      expect((await log.list({ month: '2021-05', after: null, limit: 10 })).entries).toEqual([]);
    });
  });
}
