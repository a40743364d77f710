import { expect, test } from 'vitest';
import type { Erasure, ErasureStore } from '../../core/ports/erasure-store.ts';

/** What every store of erasures promises. `fresh` gives an unused digest. */
export function erasureStoreSuite(open: () => Promise<ErasureStore>, fresh: () => string): void {
  const erasure = (digest: string): Erasure => ({
    erasureId: 'e1',
    digest,
    pseudonym: 'erased-e1',
    requestedAt: '2026-11-23T08:00:00.000Z',
    by: 'ann',
    reason: 'asked for it',
    feeds: [{ feed: 'Customer@org', generation: null, position: null }],
    tombstones: [{ collection: 'customer', key: '1' }],
    forgottenAt: null,
    purgedAt: null,
    version: 1,
  });

  test('an erasure is begun once, and the second time gives the first', async () => {
    const store = await open();
    const digest = fresh();
    expect(await store.read(digest)).toBeNull();
    expect(await store.begin(erasure(digest))).toEqual(erasure(digest));
    expect(await store.begin({ ...erasure(digest), erasureId: 'e2' })).toEqual(erasure(digest));
    expect(await store.read(digest)).toEqual(erasure(digest));
    expect((await store.list()).filter((one) => one.digest === digest)).toEqual([erasure(digest)]);
  });

  test('of two who change it one wins', async () => {
    const store = await open();
    const before = await store.begin(erasure(fresh()));
    const after = { ...before, forgottenAt: '2026-11-23T09:00:00.000Z' };
    expect(await store.replace(before, after)).toBe('replaced');
    expect(await store.replace(before, { ...before, reason: 'another' })).toBe('conflict');
    expect(await store.read(before.digest)).toEqual({ ...after, version: 2 });
  });
}
