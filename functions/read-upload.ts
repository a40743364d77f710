import { sha256Hex } from '../codec/pack.ts';
import type { ObjectStore } from '../core/ports/object-store.ts';
import type { ObjectEntry } from '../core/ports/upload-store.ts';
import { isSyncError } from '../protocol/sync-error.ts';

/** The packed operations of an object; null when it is not there, or is not what its name says. */
export async function readUpload(
  objects: Pick<ObjectStore, 'get'>,
  { key, bytes, sha256 }: Pick<ObjectEntry, 'key' | 'bytes' | 'sha256'>,
): Promise<Uint8Array | null> {
  try {
    const read = await objects.get(key, bytes);
    return sha256Hex(read) === sha256 ? read : null;
  } catch (error) {
    if (isSyncError(error, 'NOT_FOUND') || isSyncError(error, 'INTEGRITY')) return null;
    throw error;
  }
}
