import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { planRequestSchema } from '../protocol/messages/plan.ts';
import { PlanDoor } from './plan-door.ts';
import { customerChange, range } from './records.ts';
import { SeededCloud } from './seeded-cloud.ts';
import { type BenchResult, median, percentile, round } from './stats.ts';

/**
 * Do deltas of other stores notice that 1,000 stores load everything at the same moment?
 *
 * Real plan code over the real local DynamoDB. Every Lambda call has a processor of its own, which one machine has not:
 * the storm runs in a process of its own that gets the processor last, so what is measured is what stores share at head
 * office, the database. Deltas come at a steady rate, whether the last one is answered or not; before, during, after.
 */
const STORES = 1_000;
const DELTA_STORES = 20;
const EVERY_MS = 500;
const QUIET_S = 20;
const STORM_S = 60;

export async function benchAdmission({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const cloud = await SeededCloud.start();
  try {
    say(`filling the local cloud with ${rows} customers`);
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    // Every feed of a store exists and has a snapshot, as head office has them all the time.
    await cloud.complete('seed');
    const door = new PlanDoor(cloud.stack.endpoints.dynamodb, cloud.stack.tables);
    await deltas(door, 5);
    const quiet = await deltas(door, QUIET_S);
    const storm = startStorm(cloud);
    const during = await deltas(door, STORM_S);
    const came = await storm;
    const after = await deltas(door, QUIET_S);
    const [before95, during95] = [percentile([...quiet, ...after], 95), percentile(during, 95)];
    say(
      `p95 of a delta's plan: ${round(before95)} ms without, ${round(during95)} ms with ${STORES} stores that load; ${JSON.stringify(came)}`,
    );
    return {
      name: 'admission',
      ours: round(during95),
      limit: round(before95),
      ratio: round(during95 / before95),
      unit: 'ms, p95 of a delta’s plan during the storm against before and after it',
      p50: { without: round(median([...quiet, ...after])), with: round(median(during)) },
      firstSeconds95: round(percentile(during.slice(0, (DELTA_STORES * 5_000) / EVERY_MS), 95)),
      storm: came,
    };
  } finally {
    await cloud.close();
  }
}

async function startStorm({ stack }: SeededCloud): Promise<object> {
  const script = new URL('admission-storm.ts', import.meta.url).pathname;
  const args = ['--dynamodb', stack.endpoints.dynamodb, '--tables', JSON.stringify(stack.tables), '--stores', String(STORES)];
  const child = spawn('nice', ['-n', '19', process.execPath, script, ...args, '--seconds', String(STORM_S)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return JSON.parse(text) as object;
}

/** Milliseconds of each call. */
async function deltas(door: PlanDoor, seconds: number): Promise<number[]> {
  const first = await door.plan('delta:r', planRequestSchema.parse({ protocol: 1, agentVersion: 'bench', feeds: [] }));
  const feeds = first.feeds.flatMap((plan) =>
    plan.action === 'leave' ? [] : [{ feed: plan.feed, generation: plan.generation, position: plan.head, want: 'tail' }],
  );
  const request = planRequestSchema.parse({ protocol: 1, agentVersion: 'bench', feeds });
  const took: Promise<number>[] = [];
  const gap = EVERY_MS / DELTA_STORES;
  const start = performance.now();
  for (let call = 0; call * gap < seconds * 1_000; call += 1) {
    await sleep(Math.max(0, start + call * gap - performance.now()));
    const asked = performance.now();
    took.push(door.plan(`delta-${call % DELTA_STORES}:r`, request).then(() => performance.now() - asked));
  }
  return Promise.all(took);
}
