import { describe } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { Faults } from '../simulation/world/faults.ts';
import { MemoryFeedStore } from '../simulation/world/memory-feed-store.ts';
import { MemoryRecordStore } from '../simulation/world/memory-record-store.ts';
import { feedStoreSuite } from './feed-store-suite.ts';
import { recordStoreSuite } from './record-store-suite.ts';

let count = 0;
const feeds = new MemoryFeedStore(Faults.none());
const records = new MemoryRecordStore(Faults.none(), () => 0);

describe('feed store in memory', () => {
  feedStoreSuite(
    () => Promise.resolve(feeds),
    (): FeedName => `Customer@store:${(count += 1)}`,
  );
});

describe('record store in memory', () => {
  recordStoreSuite(
    () => Promise.resolve(records),
    () => `c${(count += 1)}`,
  );
});
