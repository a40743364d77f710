import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryRunStore } from '../../test/simulation/world/memory-run-store.ts';
import { noteDifferences } from './note-differences.ts';

test('a feed that differs is written down, and what is refused for another reason is not', async () => {
  const now = Date.parse('2026-11-28T10:00:00.000Z');
  const runs = new MemoryRunStore(Faults.none());
  const deps = { runs, clock: { now: () => now }, ids: { next: () => uuidv7({ msecs: now }) } };
  await noteDifferences(deps, { storeId: 'S1', replicaId: 'S1:r' }, [
    { feed: 'Customer@org', reason: 'DIFFERENT' },
    { feed: 'Stores@org', reason: 'SNAPSHOT_GONE' },
  ]);
  expect(await runs.readDifferences('S1', now)).toMatchObject([
    { feed: 'Customer@org', replicaId: 'S1:r', at: new Date(now).toISOString() },
  ]);
});
