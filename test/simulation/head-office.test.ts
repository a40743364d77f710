import { expect, test, vi } from 'vitest';
import { CloudHistory } from './world/cloud-history.ts';
import { type Scenario, runSeries } from './world/histories.ts';
import { Random } from './world/random.ts';
import { HEAD_OFFICE_SERIES } from './world/budget.ts';

vi.mock(import('../../codec/pack.ts'), async (original) => ({ ...(await original()), ...(await import('./world/stored-codec.ts')) }));

/**
 * Histories of head office alone: edits, stream deliveries, seals and compactions, with the faults that
 * `world/cloud-history.ts` lists. Every invariant of a feed is checked after every step.
 */
const scenario: Scenario = {
  kinds: { edit: 12, deliver: 8, compact: 3, seal: 2, release: 3, wait: 1, restart: 1, leap: 1 },
  length: 40,
  async run(seed, steps) {
    const history = new CloudHistory(new Random(seed).of([0, 0.05, 0.15, 0.3]));
    for (const step of steps) {
      await history.step(step.kind, new Random(step.seed));
      await history.check();
    }
    await history.calm();
    await history.checkEnd();
  },
};

test(`${HEAD_OFFICE_SERIES.histories} histories of head office hold their invariants`, async () => {
  await expect(runSeries(scenario, HEAD_OFFICE_SERIES)).resolves.toBeUndefined();
});
