import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Outcome, nextWave, standings } from './waves.ts';

/** Deploys as the command does, in an account where the deployments of `failing` fail. */
function deployAll(order: readonly string[], failing: ReadonlySet<string>, size: number) {
  const outcomes = new Map<string, Outcome>();
  const waves: string[][] = [];
  for (let wave = nextWave(order, outcomes, size); wave.length > 0; wave = nextWave(order, outcomes, size)) {
    waves.push(wave);
    for (const name of wave) outcomes.set(name, failing.has(name) ? 'FAILED' : 'DEPLOYED');
  }
  return { waves, ...standings(order, outcomes) };
}

const fleet = fc
  .uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 12 })
  .chain((order) => fc.record({ order: fc.constant(order), failing: fc.subarray(order), size: fc.integer({ min: 1, max: 5 }) }));

test('everybody is deployed, failed or not tried; in order, never more at once than said, and nothing after a wave that failed', () => {
  fc.assert(
    fc.property(fleet, ({ order, failing, size }) => {
      const { waves, deployed, failed, notTried } = deployAll(order, new Set(failing), size);
      const tried = waves.flat();
      expect([...deployed, ...failed, ...notTried].toSorted()).toEqual(order.toSorted());
      expect(tried).toEqual(order.slice(0, tried.length));
      for (const wave of waves) expect(wave.length).toBeLessThanOrEqual(size);
      for (const wave of waves.slice(0, -1)) expect(wave.filter((name) => failing.includes(name))).toEqual([]);
      expect(failed).toEqual(tried.filter((name) => failing.includes(name)));
      expect(notTried).toEqual(order.slice(tried.length));
      if (failing.length === 0) expect(deployed).toEqual(order);
      else expect(failed.length).toBeGreaterThan(0);
    }),
  );
});
