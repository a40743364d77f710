import { afterAll, expect, test } from 'vitest';
import { agentLimits } from '../../agent/agent-limits.ts';
import { limits } from '../../protocol/limits.ts';
import type { Capacity } from './storm/door.ts';
import { storm } from './storm/storm.ts';

/**
 * Every store that logs on gets in step, whatever the crowd: nothing is lost, none starves. `STORM_STORES` says how many (5,000 are a
 * minute of this machine's time); what came of it is printed.
 */
const STORES = Number(process.env['STORM_STORES'] ?? 400);
/** As the template has it, and a fifth of that. */
const DEPLOYED: Capacity = { ratePerS: 500, burst: 1_000, concurrency: 1_000 };
const SCARCE: Capacity = { ratePerS: 100, burst: 100, concurrency: 200 };
const FIVE_MINUTES = 300_000;
const seen: string[] = [];

afterAll(() => process.stderr.write(`${seen.join('\n')}\n`));

test.each([
  ['within five minutes', FIVE_MINUTES, DEPLOYED],
  ['at one moment', 0, DEPLOYED],
  ['at one moment, with a fifth of the API', 0, SCARCE],
] as const)('INV-11: stores that log on %s are all in step, each once', async (name, withinMs, capacity) => {
  const came = await storm({ stores: STORES, withinMs, capacity });
  seen.push(`${STORES} stores ${name}: ${JSON.stringify(came)}`);
  expect(came).toMatchObject({ inStep: STORES, operations: { sent: STORES * 3, applied: STORES * 3, lost: 0 } });
  // Nobody is refused for anything but the crowd.
  expect(came.answers.other).toBe(0);
  // None starves: the slowest is done within what the API and the slots let through, and what it waits between.
  const turnsMs = (Math.ceil(STORES / 10 / limits.freshSlots) + 1) * (45_000 + 2 * limits.freshRetryMs);
  const apiMs = (came.requests * 1_000) / capacity.ratePerS;
  expect(Math.max(came.freshMs.slowest, came.deltaMs.slowest)).toBeLessThan(
    turnsMs + apiMs + agentLimits.attemptsMax * agentLimits.retryMaxMs * 2,
  );
});

test('a crowd within five minutes is no crowd for the API', async () => {
  const came = await storm({ stores: STORES, withinMs: FIVE_MINUTES, capacity: DEPLOYED });
  expect(came).toMatchObject({ answers: { 429: 0 }, retriesPerFirstTry: 0, syncsThatGaveUp: 0 });
  const alone = await storm({ stores: 10, withinMs: FIVE_MINUTES, capacity: DEPLOYED });
  expect(came.deltaMs.p95).toBeLessThan(alone.deltaMs.p95 * 2);
});
