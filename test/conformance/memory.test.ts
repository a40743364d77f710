import { describe } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { Faults } from '../simulation/world/faults.ts';
import { MemoryErasureStore } from '../simulation/world/memory-erasure-store.ts';
import { MemoryFeedStore } from '../simulation/world/memory-feed-store.ts';
import { MemoryRecordStore } from '../simulation/world/memory-record-store.ts';
import { MemoryLookupAllowance } from '../simulation/world/memory-lookup-allowance.ts';
import { MemoryObjectStore } from '../simulation/world/memory-object-store.ts';
import { MemoryProofMemory } from '../simulation/world/memory-proof-memory.ts';
import { MemoryUploadStore } from '../simulation/world/memory-upload-store.ts';
import { MemoryAuditLog } from '../simulation/world/memory-audit-log.ts';
import { MemoryRunStore } from '../simulation/world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../simulation/world/memory-store-registry.ts';
import { MemoryWrongCodes } from '../simulation/world/memory-wrong-codes.ts';
import { erasureStoreSuite } from './erasure-store-suite.ts';
import { feedStoreSuite } from './feed-store-suite.ts';
import { lookupAllowanceSuite } from './lookup-allowance-suite.ts';
import { objectStoreSuite } from './object-store-suite.ts';
import { proofMemorySuite } from './proof-memory-suite.ts';
import { recordStoreSuite } from './record-store-suite.ts';
import { uploadStoreSuite } from './upload-store-suite.ts';
import { MemoryRolloutStore } from '../simulation/world/memory-rollout-store.ts';
import { rolloutStoreSuite } from './rollout-store-suite.ts';
import { MemoryUndertakingStore } from '../simulation/world/memory-undertaking-store.ts';
import { undertakingStoreSuite } from './undertaking-store-suite.ts';
import { auditLogSuite } from './audit-log-suite.ts';
import { runStoreSuite } from './run-store-suite.ts';
import { wrongCodesSuite } from './wrong-codes-suite.ts';
import { storeRegistrySuite } from './store-registry-suite.ts';

let count = 0;
const feeds = new MemoryFeedStore(Faults.none());
const registry = new MemoryStoreRegistry();
const records = new MemoryRecordStore(
  Faults.none(),
  () => 0,
  (id) => registry.isTrusted(id),
);

function enrolled() {
  const storeId = `U${(count += 1)}`;
  const replicaId = `${storeId}:u`;
  const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
  registry.replicas.set(replicaId, { replicaId, storeId, publicKey, status: 'ACTIVE', enrolledAt: '' });
  return Promise.resolve({ registry, replicaId });
}

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
    enrolled,
  );
});

describe('store registry in memory', () => {
  const stores = new MemoryStoreRegistry();
  storeRegistrySuite(
    () => Promise.resolve(stores),
    () => `S${(count += 1)}`,
  );
});

describe('memory of proofs in memory', () => {
  const memory = new MemoryProofMemory();
  proofMemorySuite(
    () => memory,
    () => `P${(count += 1)}:u`,
  );
});

describe('wrong codes in memory', () => {
  wrongCodesSuite(() => new MemoryWrongCodes());
});

describe('uploads in memory', () => {
  uploadStoreSuite(async () => {
    const one = await enrolled();
    return { uploads: new MemoryUploadStore(Faults.none(), records, (id) => registry.isTrusted(id)), records, ...one };
  });
});

describe('erasures in memory', () => {
  const erasures = new MemoryErasureStore();
  erasureStoreSuite(
    () => Promise.resolve(erasures),
    () => `digest ${(count += 1)}`,
  );
});

describe('look-ups in memory', () => {
  lookupAllowanceSuite(() => Promise.resolve(new MemoryLookupAllowance()));
});

describe('object store in memory', () => {
  const objects = new MemoryObjectStore(Faults.none());
  objectStoreSuite(() => Promise.resolve(objects));
});

describe('runs in memory', () => {
  runStoreSuite(() => new MemoryRunStore(Faults.none()));
  auditLogSuite(() => new MemoryAuditLog());
  undertakingStoreSuite(() => new MemoryUndertakingStore());
  rolloutStoreSuite(() => new MemoryRolloutStore());
});
