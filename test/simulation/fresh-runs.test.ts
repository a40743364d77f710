import { expect, test } from 'vitest';
import { FRESH_SERIES } from './world/budget.ts';
import { FreshHistory, outages } from './world/fresh-history.ts';
import { type Scenario, runSeries } from './world/histories.ts';
import { Random } from './world/random.ts';

/**
 * A store whose link dies in the middle of its fresh run, again and again: head office's check says what is missing, asks
 * for it again, and the run completes after the link is back, with nobody's help (INV-45).
 */
const scenario: Scenario = {
  kinds: { outage: 6, turn: 8, contact: 4, hour: 3, apply: 3, compact: 3, change: 1, record: 1, kill: 1, wait: 6 },
  length: 40,
  async run(seed, steps) {
    const history = new FreshHistory(new Random(seed));
    for (const { kind, seed: own } of steps) {
      await history.step(kind, new Random(own));
      history.check();
    }
    await history.end();
  },
};

test(`${FRESH_SERIES.histories} fresh runs over a link that dies complete by themselves (INV-45)`, async () => {
  outages.count = 0;
  await expect(runSeries(scenario, FRESH_SERIES)).resolves.toBeUndefined();
  // 100,000 random outages in a whole series.
  expect(outages.count).toBeGreaterThan(FRESH_SERIES.histories * 5);
});
