import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { planRequestSchema } from '../protocol/messages/plan.ts';
import { PlanDoor } from './plan-door.ts';

/** A process of its own for `admission.ts`: stores that load everything, all at the same moment. Prints what came of it. */
const { values } = parseArgs({
  options: { dynamodb: { type: 'string' }, tables: { type: 'string' }, stores: { type: 'string' }, seconds: { type: 'string' } },
});
const LOAD_MS = 5_000;
const door = new PlanDoor(values.dynamodb ?? '', JSON.parse(values.tables ?? '{}') as Record<string, string>);
const until = performance.now() + Number(values.seconds) * 1_000;
const counts = { loaded: 0, waits: 0, calls: 0 };
const request = planRequestSchema.parse({ protocol: 1, agentVersion: 'bench', feeds: [] });

async function store(index: number): Promise<void> {
  const replicaId = `storm-${index}:r`;
  while (performance.now() < until) {
    counts.calls += 1;
    const { feeds } = await door.plan(replicaId, request);
    const waits = feeds.flatMap((plan) => (plan.action === 'wait' ? [plan.retryAfterMs] : []));
    if (waits.length === 0) {
      await sleep(LOAD_MS);
      await door.release(replicaId);
      counts.loaded += 1;
      return;
    }
    counts.waits += 1;
    await sleep(Math.min(Math.max(...waits), Math.max(0, until - performance.now())));
  }
}

await Promise.all(Array.from({ length: Number(values.stores) }, (_, index) => store(index)));
process.stdout.write(`${JSON.stringify(counts)}\n`);
