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

  test('an object that is not there is NOT_FOUND', async () => {
    const store = await open();
    await expect(store.get('chunks/none')).rejects.toSatisfy((error) => isSyncError(error, 'NOT_FOUND'));
  });
}
