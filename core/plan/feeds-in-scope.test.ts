import { expect, test } from 'vitest';
import { allFeedsInScope } from './feeds-in-scope.ts';

test('INV-24: a core store reads the four core components and nothing of another store', () => {
  expect(allFeedsInScope({ storeId: 'S1', zone: null, edition: 'core' }, {})).toEqual([
    'Fraud Users List@org',
    'Voucher Series@org',
    'Customer@org',
    'Custom Fields@org',
  ]);
});

test('a clienteling store reads its own tasks, people and reminders as well', () => {
  const feeds = allFeedsInScope({ storeId: 'S1', zone: 'north', edition: 'clienteling' }, {});
  expect(feeds).toHaveLength(11);
  expect(feeds.filter((feed) => feed.includes('store:'))).toEqual([
    'Associates@store:S1',
    'Task Metadata@store:S1',
    'Tasks@store:S1',
    'Reminders@store:S1',
  ]);
});
