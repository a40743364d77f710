import { Cron } from 'croner';
import { expect, test } from 'vitest';
import { SYNC_MINUTES } from '../protocol/store-settings.ts';
import { syncSchedule } from './sync-schedule.ts';

test.each(SYNC_MINUTES)('every %i minutes it is a replica’s turn, always at the same place of the interval', (minutes) => {
  for (let store = 0; store < 20; store += 1) {
    const job = new Cron(syncSchedule(`S${store}:r`, minutes), { timezone: 'UTC', paused: true });
    const turns = job.nextRuns(5).map((at) => at.getTime());
    for (const [index, at] of turns.slice(1).entries()) expect(at - (turns[index] as number)).toBe(minutes * 60_000);
  }
});

test('stores are spread over the interval: of 5,000 never more than 20 in one second', () => {
  const patterns = Array.from({ length: 5_000 }, (_, store) => syncSchedule(`S${store}:${store * 7_919}`, 15));
  const counts = new Map<string, number>();
  for (const pattern of patterns) counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
  expect(counts.size).toBeGreaterThan(850);
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(20);
});
