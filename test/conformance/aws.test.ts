import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DynamoErasureStore } from '../../functions/aws/dynamo-erasure-store.ts';
import { DynamoFeedStore } from '../../functions/aws/dynamo-feed-store.ts';
import { DynamoFreshSlots } from '../../functions/aws/dynamo-fresh-slots.ts';
import { DynamoLookupAllowance } from '../../functions/aws/dynamo-lookup-allowance.ts';
import { DynamoProofMemory } from '../../functions/aws/dynamo-proof-memory.ts';
import { DynamoQuarantine } from '../../functions/aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../../functions/aws/dynamo-record-store.ts';
import { DynamoAuditLog } from '../../functions/aws/dynamo-audit-log.ts';
import { DynamoRunStore } from '../../functions/aws/dynamo-run-store.ts';
import { DynamoUploadStore } from '../../functions/aws/dynamo-upload-store.ts';
import { DynamoStoreRegistry } from '../../functions/aws/dynamo-store-registry.ts';
import { S3ObjectStore } from '../../functions/aws/s3-object-store.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Emulators, startEmulators } from '../fixtures/emulators.ts';
import { DynamoWrongCodes } from '../../functions/aws/dynamo-wrong-codes.ts';
import { erasureStoreSuite } from './erasure-store-suite.ts';
import { feedStoreSuite } from './feed-store-suite.ts';
import { freshSlotsSuite } from './fresh-slots-suite.ts';
import { lookupAllowanceSuite } from './lookup-allowance-suite.ts';
import { objectStoreSuite } from './object-store-suite.ts';
import { proofMemorySuite } from './proof-memory-suite.ts';
import { recordStoreSuite } from './record-store-suite.ts';
import { uploadStoreSuite } from './upload-store-suite.ts';
import { DynamoRolloutStore } from '../../functions/aws/dynamo-rollout-store.ts';
import { rolloutStoreSuite } from './rollout-store-suite.ts';
import { DynamoUndertakingStore } from '../../functions/aws/dynamo-undertaking-store.ts';
import { undertakingStoreSuite } from './undertaking-store-suite.ts';
import { auditLogSuite } from './audit-log-suite.ts';
import { runStoreSuite } from './run-store-suite.ts';
import { wrongCodesSuite } from './wrong-codes-suite.ts';
import { storeRegistrySuite } from './store-registry-suite.ts';

/** The same suites over the AWS adapters, with real SDK clients against the emulators. */
let emulators: Emulators;
let count = 0;
beforeAll(async () => {
  emulators = await startEmulators();
});
afterAll(() => emulators.close());

async function enrolled() {
  const registry = new DynamoStoreRegistry(emulators.documents, emulators.table);
  const storeId = `U${(count += 1)}`;
  const publicKey = { kty: 'EC', crv: 'P-256', x: 'x'.repeat(43), y: 'y'.repeat(43) } as const;
  await registry.addStore({ storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
  await registry.putEnrolmentCode({ sha256: storeId, storeId, issuedAt: 1, expiresAt: 2 });
  const one = await registry.enrol({ sha256: storeId, now: 1 }, { uuid: 'u', publicKey, status: 'ACTIVE', enrolledAt: '' });
  return { registry, replicaId: one?.replica.replicaId ?? '' };
}

describe('feed store in DynamoDB', () => {
  feedStoreSuite(
    () => Promise.resolve(new DynamoFeedStore(emulators.documents, emulators.table)),
    (): FeedName => `Customer@store:${(count += 1)}`,
  );
});

describe('record store in DynamoDB', () => {
  recordStoreSuite(
    () => Promise.resolve(new DynamoRecordStore(emulators.documents, emulators.table, emulators.table)),
    () => `c${(count += 1)}`,
    enrolled,
  );
});

describe('store registry in DynamoDB', () => {
  storeRegistrySuite(
    () => Promise.resolve(new DynamoStoreRegistry(emulators.documents, emulators.table)),
    () => `S${(count += 1)}`,
  );
});

describe('memory of proofs in DynamoDB', () => {
  proofMemorySuite(
    () => new DynamoProofMemory(emulators.documents, emulators.table),
    () => `P${(count += 1)}:u`,
  );
});

describe('wrong codes in DynamoDB', () => {
  wrongCodesSuite(() => new DynamoWrongCodes(emulators.documents, emulators.table));
});

describe('uploads in DynamoDB', () => {
  uploadStoreSuite(async () => {
    const { documents, table } = emulators;
    return {
      uploads: new DynamoUploadStore(documents, { uploads: table, records: table, stores: table }),
      records: new DynamoRecordStore(documents, table),
      ...(await enrolled()),
    };
  });
});

describe('erasures in DynamoDB', () => {
  erasureStoreSuite(
    () => Promise.resolve(new DynamoErasureStore(emulators.documents, emulators.table)),
    () => `digest ${(count += 1)}`,
  );
});

describe('look-ups in DynamoDB', () => {
  lookupAllowanceSuite(() => Promise.resolve(new DynamoLookupAllowance(emulators.documents, emulators.table)));
});

describe('slots for fresh loads in DynamoDB', () => {
  freshSlotsSuite((slots) => Promise.resolve(new DynamoFreshSlots(emulators.documents, emulators.table, slots)));
});

describe('object store in S3', () => {
  objectStoreSuite(() => Promise.resolve(new S3ObjectStore(emulators.s3, emulators.bucket)));

  test('a presigned URL reads exactly its object, and carries no checksum of an empty body', async () => {
    const store = new S3ObjectStore(emulators.s3, emulators.bucket);
    await store.put('chunks/bb/customer%40org/two', new Uint8Array([1, 2, 3]));
    const url = await store.presignGet('chunks/bb/customer%40org/two', 60);
    expect(url).not.toContain('x-amz-checksum');
    expect(new Uint8Array(await (await fetch(url)).arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  });
});

describe('quarantine in DynamoDB', () => {
  test('the same input twice is one entry, kept whole', async () => {
    const quarantine = new DynamoQuarantine(emulators.documents, emulators.table);
    const entry = {
      id: 'feed-writer#1',
      source: 'feed-writer',
      reason: 'no key',
      at: '2026-11-23T08:00:00.000Z',
      item: { deep: [1, { odd: null }] },
    };
    await quarantine.put([entry]);
    await quarantine.put([entry]);
    expect(await quarantine.list({ after: null, limit: 10 })).toEqual({ entries: [entry], next: null });
  });

  test('an item as large as any of main data, or of values JSON does not know, is kept all the same', async () => {
    const quarantine = new DynamoQuarantine(emulators.documents, emulators.table);
    const entry = { source: 'feed-writer', reason: 'r'.repeat(500_000), at: '2026-11-23T08:00:00.000Z' };
    await quarantine.put([
      { ...entry, id: 'feed-writer#large', item: { key: '7', text: '"'.repeat(399_000) } },
      { ...entry, id: 'feed-writer#odd', item: { key: '7', number: 99_999_999_999_999_999_999n, picture: new Uint8Array(100_000) } },
    ]);
    const kept = (await quarantine.list({ after: 'feed-writer#1', limit: 10 })).entries;
    expect(kept).toMatchObject([
      { item: { key: '7', text: { cut: { bytes: 399_000 } } } },
      { item: { key: '7', number: '99999999999999999999', picture: { cut: { bytes: 100_000 } } } },
    ]);
  });

  test('it is listed in parts, however many there are', async () => {
    const quarantine = new DynamoQuarantine(emulators.documents, emulators.table);
    const ids = Array.from({ length: 8 }, (_, index) => `part#${index}`);
    const entry = { source: 'feed-writer', reason: 'no key', at: '2026-11-23T08:00:00.000Z', item: 'x'.repeat(300_000) };
    await quarantine.put(ids.map((id) => ({ ...entry, id })));
    const found: string[] = [];
    let after: string | null = 'part#';
    for (let calls = 0; after !== null; calls += 1) {
      const part: Awaited<ReturnType<typeof quarantine.list>> = await quarantine.list({ after, limit: 6 });
      expect(JSON.stringify(part).length).toBeLessThan(2_000_000);
      found.push(...part.entries.map(({ id }) => id));
      after = part.next;
      expect(calls).toBeLessThan(9);
    }
    expect(found).toEqual(ids);
  });
});

describe('runs in DynamoDB', () => {
  runStoreSuite(() => new DynamoRunStore(emulators.documents, emulators.table));
  auditLogSuite(() => new DynamoAuditLog(emulators.documents, emulators.table));
  undertakingStoreSuite(() => new DynamoUndertakingStore(emulators.documents, emulators.table));
  rolloutStoreSuite(() => new DynamoRolloutStore(emulators.documents, emulators.table));
});
