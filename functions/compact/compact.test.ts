import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, SEALING } from '../../test/simulation/world/head-office.ts';
import { compactFeeds } from './compact.ts';

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
