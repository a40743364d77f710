import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allFeedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { SnapshotPointer } from '../../core/ports/feed-store.ts';
import type { Store } from '../../core/ports/store-registry.ts';
import { must } from '../../protocol/assert.ts';
import { type FeedName, splitFeedName } from '../../protocol/feed.ts';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { freshRunRequestSchema } from '../../protocol/messages/fresh-run.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { MemoryFeedStore } from '../../test/simulation/world/memory-feed-store.ts';
import { MemoryRecordStore } from '../../test/simulation/world/memory-record-store.ts';
import { MemoryRunStore } from '../../test/simulation/world/memory-run-store.ts';
import { MemoryStoreRegistry } from '../../test/simulation/world/memory-store-registry.ts';
import { MemoryUploadStore } from '../../test/simulation/world/memory-upload-store.ts';
import type { FreshRecord } from '../../core/ports/run-store.ts';
import { FRESH_DEADLINE_MS } from '../../core/runs/fresh-check.ts';
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
const AT = '2026-11-23T10:00:00.000Z';
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
  const registry = new MemoryStoreRegistry();
  registry.stores.set('S1', store);
  const replica = {
    replicaId: 'S1:r',
    storeId: 'S1',
    publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
    status: 'ACTIVE',
    enrolledAt: AT,
  } as const;
  registry.replicas.set('S1:r', replica);
  const time = { now: Date.parse(AT) };
  const records = new MemoryRecordStore(Faults.none(), () => time.now);
  const uploads = new MemoryUploadStore(Faults.none(), records, () => true);
  const runs = new MemoryRunStore(Faults.none());
  const doorbell: string[] = [];
  const late: string[] = [];
  const rung: FeedName[][] = [];
  const deps = {
    registry,
    feeds,
    runs,
    uploads,
    doorbell: {
      ring: (replicaId: string) => {
        doorbell.push(replicaId);
        return Promise.resolve();
      },
    },
    clock: { now: () => time.now },
    onLate: (record: FreshRecord) => late.push(record.runId),
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
  return { feeds, rung, deps, runs, registry, uploads, time, doorbell, late };
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

describe('a check', () => {
  const record: FreshRecord = {
    storeId: 'S1',
    replicaId: 'S1:r',
    runId: request.runId,
    startedAt: AT,
    declaredThrough: 0,
    completeAt: null,
    cancelledAt: null,
    workflowAt: AT,
    checkedAt: null,
    missing: [],
  };
  const check = { ...request, step: 'check' } as const;

  test('INV-45: says what is missing and writes it down; complete only when every feed is proved', async () => {
    const { runs, registry, feeds, deps, rung, time } = world();
    runs.fresh.set('S1:r', record);
    for (const feed of inScope) {
      await feeds.createFeed(feed, 'g');
      await feeds.publishSnapshot(pointer(feed, 'g'));
    }
    time.now += 1_000;
    expect(await freshRun(deps, check)).toEqual({ outcome: 'INCOMPLETE' });
    expect(runs.fresh.get('S1:r')?.missing).toEqual(inScope.map((feed) => `the store has not proved ${feed} yet`));
    expect(rung).toEqual([]);
    for (const [index, feed] of inScope.entries()) {
      const { component } = splitFeedName(feed);
      const proved = { component, feed, generation: 'g', position: 0, rows: 0, digest: '', issuedAt: AT };
      await registry.putCertificates([{ storeId: 'S1', replicaId: 'S1:r', ...proved }]);
      expect(await freshRun(deps, check)).toEqual({ outcome: index === inScope.length - 1 ? 'COMPLETE' : 'INCOMPLETE' });
    }
    expect(runs.fresh.get('S1:r')).toMatchObject({ missing: [], completeAt: new Date(time.now).toISOString() });
    // Once complete it stays so, whatever comes later.
    await feeds.publishSnapshot({ ...pointer(must(inScope[0], 'there is one'), 'g'), position: 9 });
    expect(await freshRun(deps, check)).toEqual({ outcome: 'COMPLETE' });
  });

  test('what was cancelled, or has another in its place, ends; what is late is told to people', async () => {
    const { runs, deps, time, late, registry } = world();
    expect(await freshRun(deps, check)).toEqual({ outcome: 'SUPERSEDED' });
    runs.fresh.set('S1:r', record);
    time.now += FRESH_DEADLINE_MS + 1;
    expect(await freshRun(deps, check)).toEqual({ outcome: 'INCOMPLETE' });
    expect(late).toEqual([request.runId]);
    runs.fresh.set('S1:r', { ...record, cancelledAt: AT });
    expect(await freshRun(deps, check)).toEqual({ outcome: 'CANCELLED' });
    runs.fresh.set('S1:r', record);
    registry.replicas.set('S1:r', { ...must(registry.replicas.get('S1:r'), 'it is there'), status: 'REVOKED' });
    expect(await freshRun(deps, check)).toEqual({ outcome: 'SUPERSEDED' });
  });

  test('uploads that are stored and not applied are rung for', async () => {
    const { runs, deps, uploads, doorbell } = world();
    runs.fresh.set('S1:r', { ...record, declaredThrough: 2 });
    const outbox = new TestOutbox();
    for (const id of ['1', '2']) outbox.put('customer', { user_id: id });
    await uploads.store(await uploads.readHead('S1:r'), outbox.operations, 1);
    await freshRun(deps, check);
    expect(runs.fresh.get('S1:r')?.missing[0]).toBe('operations 1 to 2 of the store were not applied yet');
    await freshRun(deps, { ...request, step: 'redrive' });
    expect(doorbell).toEqual(['S1:r']);
  });
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
