import { expect, test } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice } from '../../test/simulation/world/head-office.ts';
import { sweep } from './sweep.ts';

test('many feeds are looked at together, each chunk of a snapshot stays, and what nobody names goes', async () => {
  const head = new HeadOffice(Faults.none(), { rowsTarget: 100, rowsMax: 200 });
  await head.write('customer', [{ user_id: '1' }]);
  await head.deliver(0, 1);
  await head.compact('Customer@org');
  for (let index = 0; index < 40; index += 1) await head.feeds.createFeed(`Tasks@store:S${index}` as FeedName, 'g');
  await head.objects.put('chunks/00/nobody/00', new Uint8Array());
  head.now += 2 * limits.snapshotLifeMs;
  let [looking, most] = [0, 0];
  async function* list(prefix: string) {
    looking += 1;
    most = Math.max(most, looking);
    yield* head.objects.list(prefix);
    looking -= 1;
  }
  const objects = { list, get: head.objects.get.bind(head.objects), delete: head.objects.delete.bind(head.objects) };
  expect(await sweep({ feeds: head.feeds, objects, clock: head.clock })).toMatchObject({ objects: 1 });
  expect(most).toBe(16);
  expect(new Set([...head.objects.objects.keys()].map((key) => key.split('/')[0]))).toEqual(new Set(['chunks', 'manifests', 'segments']));
  expect(head.objects.objects.has('chunks/00/nobody/00')).toBe(false);
});
