import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import type { UndertakingStore } from '../../core/ports/undertaking-store.ts';
import type { Undertaking } from '../../protocol/undertaking.ts';

/** What every store of undertakings must do; each test finds its own by their ids. */
export function undertakingStoreSuite(open: () => UndertakingStore): void {
  describe('a store of undertakings', () => {
    const made = (n: number): Undertaking => ({
      undertakingId: uuidv7({ msecs: Date.parse('2026-11-28T10:00:00.000Z') + n, seq: n }),
      kind: 'rebuild',
      subject: 'Customer',
      stores: 7,
      reason: 'the stream was lost',
      askedBy: { name: 'ann', subject: 'u1' },
      askedAt: '2026-11-28T10:00:00.000Z',
      state: 'WAITING',
      decidedBy: null,
      decidedAt: null,
      startedAt: null,
      endedAt: null,
    });

    test('newest first, part by part', async () => {
      const store = open();
      const all = [1, 2, 3].map(made);
      for (const one of all) await store.add(one);
      const first = await store.list({ after: null, limit: 2 });
      expect(first.undertakings).toEqual([all[2], all[1]]);
      const { undertakings } = await store.list({ after: first.next, limit: 2 });
      expect(undertakings[0]).toEqual(all[0]);
      await expect(store.add(all[0] as Undertaking)).rejects.toThrow();
    });

    test('of two who change it at once one does', async () => {
      const store = open();
      const before = made(9);
      expect(await store.read(before.undertakingId)).toBeNull();
      await store.add(before);
      const outcomes = await Promise.all(
        (['APPROVED', 'REJECTED'] as const).map((state) => store.change(before, { ...before, state, decidedAt: before.askedAt })),
      );
      expect(outcomes.toSorted()).toEqual(['changed', 'conflict']);
      const stands = await store.read(before.undertakingId);
      expect(stands?.state).toBe(outcomes[0] === 'changed' ? 'APPROVED' : 'REJECTED');
    });
  });
}
