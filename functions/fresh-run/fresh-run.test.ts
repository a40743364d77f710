import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { SnapshotPointer } from '../../core/ports/feed-store.ts';
import type { Store } from '../../core/ports/store-registry.ts';
import { must } from '../../protocol/assert.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { freshRunRequestSchema } from '../../protocol/messages/fresh-run.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryFeedStore } from '../../test/simulation/world/memory-feed-store.ts';
import { freshRun } from './fresh-run.ts';

const scopes = { 'Voucher Series': 'zone' } as const;
const store: Store = {
  storeId: 'S1',
  name: 'S1',
  edition: 'clienteling',
  zone: 'north',
  timeZone: 'UTC',
  currency: 'GBP',
  createdAt: '',
};
const inScope = allFeedsInScope(store, scopes);
const request = { storeId: 'S1', runId: '01890000-0000-7000-8000-000000000001', check: 0 };
const pointer = (feed: FeedName, generation: string): SnapshotPointer => ({
  feed,
  generation,
  position: 0,
  manifestSha256: '',
  root: '',
  rows: 0,
  bytes: 0,
  chunks: 0,
});

function world() {
  const feeds = new MemoryFeedStore(Faults.none());
  const rung: FeedName[][] = [];
  const deps = {
    registry: { readStore: (storeId: string) => Promise.resolve(storeId === 'S1' ? store : null) },
    feeds,
    compactions: {
      ring: (names: readonly FeedName[], work: string) => {
        expect(work).toBe('snapshot');
        rung.push([...names]);
        return Promise.resolve();
      },
    },
    ids: { next: () => 'new' },
    scopes,
  };
  return { feeds, rung, deps };
}

test('exactly the feeds of the store that have no snapshot of their history are asked for, whatever else there is', async () => {
  const kinds = fc.constantFrom('absent', 'empty', 'older', 'ready');
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { minLength: inScope.length, maxLength: inScope.length }), async (states) => {
      const { feeds, rung, deps } = world();
      await feeds.createFeed('Associates@store:S2', 'g');
      const wanted: FeedName[] = [];
      for (const [index, feed] of inScope.entries()) {
        const kind = must(states[index], 'one for each');
        if (kind !== 'ready') wanted.push(feed);
        if (kind !== 'absent') await feeds.createFeed(feed, 'g');
        if (kind === 'older' || kind === 'ready') await feeds.publishSnapshot(pointer(feed, kind === 'ready' ? 'g' : 'before'));
      }
      await freshRun(deps, { ...request, step: 'prepare' });
      expect(rung.flat().toSorted()).toEqual(wanted.toSorted());
      expect([...feeds.feeds.keys()].toSorted()).toEqual([...inScope, 'Associates@store:S2'].toSorted());
    }),
  );
});

test('what is done twice is harmless, and what could not be asked for is an error', async () => {
  const { rung, deps } = world();
  for (const step of ['prepare', 'prepare', 'redrive'] as const) {
    expect(await freshRun(deps, { ...request, step })).toEqual({ outcome: 'INCOMPLETE' });
  }
  expect(rung.map((names) => names.toSorted())).toEqual([1, 2, 3].map(() => inScope.toSorted()));
  const deaf = { ...deps, compactions: { ring: () => Promise.reject(new Error('no queue')) } };
  await expect(freshRun(deaf, { ...request, step: 'prepare' })).rejects.toThrow('no queue');
  await expect(freshRun(deps, { ...request, storeId: 'S2', step: 'prepare' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a check says that the run is incomplete, and asks for nothing', async () => {
  const { rung, deps } = world();
  expect(await freshRun(deps, { ...request, step: 'check' })).toEqual({ outcome: 'INCOMPLETE' });
  expect(rung).toEqual([]);
});

test.each([
  [{ step: 'check', ...request }, true],
  [{ step: 'wait', ...request }, false],
  [{ step: 'check', ...request, check: -1 }, false],
  [{ step: 'check', ...request, runId: 'mine' }, false],
  [{ step: 'check', ...request, more: 1 }, false],
])('the door: %j', (event, fits) => {
  expect(freshRunRequestSchema.safeParse(event).success).toBe(fits);
});
