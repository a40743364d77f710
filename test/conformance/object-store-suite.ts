import { expect, test } from 'vitest';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { isSyncError } from '../../protocol/sync-error.ts';

/** What every object store promises. */
export function objectStoreSuite(open: () => Promise<ObjectStore>): void {
  test('what was put is read back byte for byte, also when it was put twice', async () => {
    const store = await open();
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256);
    await store.put('chunks/aa/customer%40org/one', bytes);
    await store.put('chunks/aa/customer%40org/one', bytes);
    expect(Buffer.from(await store.get('chunks/aa/customer%40org/one')).equals(bytes)).toBe(true);
  });

  test('objects are listed by prefix with their time, and deleted once or twice', async () => {
    const store = await open();
    const keys = ['segments/aa/x/1', 'segments/aa/x/2', 'segments/ab/x/3', 'segmentsother'];
    for (const key of keys) await store.put(key, Uint8Array.of(1));
    const listed = async () => (await Array.fromAsync(store.list('segments/'))).flat();
    expect((await listed()).map(({ key }) => key)).toEqual(keys.slice(0, 3));
    for (const { at } of await listed()) expect(at).toBeGreaterThanOrEqual(0);
    for (let times = 0; times < 2; times += 1) await store.delete(['segments/aa/x/1', 'segments/ab/x/3']);
    expect((await listed()).map(({ key }) => key)).toEqual(['segments/aa/x/2']);
    await store.delete([]);
  });

  test('an object that is not there is NOT_FOUND', async () => {
    const store = await open();
    await expect(store.get('chunks/none')).rejects.toSatisfy((error) => isSyncError(error, 'NOT_FOUND'));
  });
}
