import { describe, expect, test } from 'vitest';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import type { Rollout } from '../../protocol/rollout.ts';
import { DEFAULT_STORE_SETTINGS } from '../../protocol/store-settings.ts';

/** What keeps the rollout does. It is one of an organization, so what is opened is empty. */
export function rolloutStoreSuite(open: () => RolloutStore): void {
  describe('a store of the rollout', () => {
    test('of two who change it at once one does, the first one too, and it is kept whole', async () => {
      const store = open();
      expect(await store.read()).toBeNull();
      const at = '2026-11-28T10:00:00.000Z';
      const first: Rollout = { state: 'EVERYWHERE', revision: 1, inForce: DEFAULT_STORE_SETTINGS, since: at };
      const firsts = await Promise.all([1, 2].map((n) => store.change(null, { ...first, since: `${at}${n}` })));
      expect(firsts.toSorted()).toEqual(['changed', 'conflict']);
      const known = (await store.read()) as Rollout;
      const trial = {
        inForce: DEFAULT_STORE_SETTINGS,
        candidate: { ...DEFAULT_STORE_SETTINGS, syncMinutes: 5 as const, agentVersion: '1.2.3' },
        canary: { stores: ['S1', 'S2'], hours: 24 },
        begunAt: at,
        startedAt: at,
      };
      const canary: Rollout = { state: 'CANARY', revision: 2, ...trial };
      const end = {
        stoppedAt: at,
        stoppedBy: null,
        reason: 'it rose',
        rises: [{ measure: 'issues' as const, now: 9, before: 1, limit: 7 }],
      };
      const stopped: Rollout = { state: 'STOPPED', revision: 2, ...trial, ...end };
      const outcomes = await Promise.all([store.change(known, canary), store.change(known, stopped)]);
      expect(outcomes.toSorted()).toEqual(['changed', 'conflict']);
      const stands = outcomes[0] === 'changed' ? canary : stopped;
      expect(await store.read()).toEqual(stands);
      // What was there before leaves nothing behind.
      expect(await store.change(stands, { ...first, revision: 3 })).toBe('changed');
      expect(await store.read()).toEqual({ ...first, revision: 3 });
    });
  });
}
