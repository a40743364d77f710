/** EventBridge rules of the form rate(…): the first turn one period after the start, as in the cloud. */
import { randomUUID } from 'node:crypto';
import type { LocalFunctions } from '../runner/local-functions.ts';
import { ACCOUNT } from '../template.ts';
import type { ScheduleDefinition } from '../wiring.ts';

/** What goes by the hours that `--hour` shortens, and how short a period may get, ms. */
const SHORTENED = /-watch-rollout$/;
const PERIOD_MIN_MS = 200;
const HOUR_MS = 3_600_000;

interface Options {
  readonly schedules: readonly ScheduleDefinition[];
  readonly functions: LocalFunctions;
  readonly region: string;
  /** How long an hour is here. */
  readonly hourMs?: number | undefined;
}

export function startSchedules({ schedules, functions, region, hourMs = HOUR_MS }: Options): { close(): void } {
  const timers = schedules.map((schedule) =>
    setInterval(
      () => functions.invokeEvent(schedule.function.name, schedule.input ?? scheduledEvent(schedule.arn, region)),
      SHORTENED.test(schedule.function.name) ? Math.max(PERIOD_MIN_MS, (schedule.everyMs * hourMs) / HOUR_MS) : schedule.everyMs,
    ),
  );
  return {
    close: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

function scheduledEvent(rule: string, region: string): string {
  return JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: ACCOUNT,
    time: new Date().toISOString(),
    region,
    resources: [rule],
    detail: {},
  });
}
