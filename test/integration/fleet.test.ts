import { expect, test } from 'vitest';
import { oneFleet } from '../../bench/fleet.ts';

/** What `bench fleet` measures at full size, small: what head office reads and writes grows with the changes and not with the stores. */
const CHANGES = 4_000;

test('read units of a delta, PUTs and runs of functions do not grow with the number of stores', async () => {
  const one = await oneFleet(1, CHANGES);
  const many = await oneFleet(60, CHANGES);
  // Some vary with where the batches of the stream end; sixty stores that each cost something would be far outside.
  expect(many.readUnitsPerDelta).toBeLessThan(one.readUnitsPerDelta * 1.5 + 2);
  expect(many.puts).toBeLessThan(one.puts * 1.5 + 20);
  // 18 and 40: a compaction follows when stores look in between parts. One run a store and part would be 240 more.
  expect(many.functionRuns).toBeLessThan(one.functionRuns * 1.5 + 40);
  expect(many.bytesPerRow).toBeLessThanOrEqual(110);
});
