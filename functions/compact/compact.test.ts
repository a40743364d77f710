import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, SEALING } from '../../test/simulation/world/head-office.ts';
import type { CompactionRequests } from '../../core/ports/compaction-requests.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { compactFeeds } from './compact.ts';
import { ringStale } from './ring-stale.ts';

test('a feed that cannot be compacted holds up no other, and is said at the end', async () => {
  const head = new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });
  await head.write('customer', [{ user_id: '1' }]);
  await head.deliver(0, 1);
  await head.seal('Customer@org');
  await head.compact('Customer@org');
  head.objects.objects.clear();
  await head.write('customer', [{ user_id: '2' }]);
  await head.write('communication_template', [{ template_id: 'a', locale: 'en', body: 'text' }]);
  await head.deliver(1, 3);
  const deps = { feeds: head.feeds, objects: head.objects, clock: head.clock, sealing: SEALING, sizes: head.sizes };
  const { done, failed } = await compactFeeds(deps, ['Customer@org', 'Tasks@org', 'Communication Template@org']);
  expect(done).toMatchObject([{ feed: 'Communication Template@org', position: 1 }]);
  expect(failed).toMatchObject([{ feed: 'Customer@org', error: { code: 'NOT_FOUND' } }]);
});

test('the schedule rings for every feed that changed since its snapshot, and for no other', async () => {
  const head = new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });
  const names = Array.from({ length: 60 }, (_, index): FeedName => `Tasks@store:S${index}`);
  for (const feed of names) await head.feeds.createFeed(feed, 'g');
  for (const feed of names.slice(0, 7)) await head.compact(feed);
  const rung: FeedName[] = [];
  const compactions: CompactionRequests = { ring: (feeds) => Promise.resolve(void rung.push(...feeds)) };
  expect(await ringStale({ feeds: head.feeds, compactions })).toBe(names.length - 7);
  expect(rung).toEqual(names.slice(7));
});
