import { expect, test } from 'vitest';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, SEALING } from '../../test/simulation/world/head-office.ts';

const FEED = 'Customer@org';

/** Pages that still stand. */
const standing = (head: HeadOffice) => {
  const { pages, gone } = head.feeds.feeds.get(FEED) ?? { pages: [], gone: new Set() };
  return pages.flatMap(({ position }) => (gone.has(position) ? [] : [position]));
};
const appendPages = async (head: HeadOffice, count: number) => {
  for (let index = 0; index < count; index += 1) {
    head.now += 1;
    await head.write('customer', [{ user_id: '1', firstname: `n${head.now}` }]);
    const { length } = head.records.stream;
    await head.deliver(length - 1, length);
  }
};

test.each(['refuse', 'lose'] as const)('INV-04: pages whose deletion was interrupted go at the next seal: %s', async (fault) => {
  let broken = false;
  const head = new HeadOffice(new Faults((call) => (broken && call === 'deletePages' ? fault : 'none')), { rowsTarget: 100, rowsMax: 200 });
  await appendPages(head, 6);
  await head.seal(FEED);
  head.now += SEALING.pageLifeMs + 1;
  await appendPages(head, 3);
  broken = true;
  await expect(head.seal(FEED)).rejects.toThrow(/simulation/);
  broken = false;
  // The index says already that they are gone, and nothing else has changed.
  await head.seal(FEED);
  expect(standing(head)).toEqual([7, 8, 9]);
});
