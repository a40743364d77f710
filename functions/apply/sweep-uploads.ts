import type { Clock } from '../../core/ports/clock.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { UPLOADS, readUploadKey } from '../../core/upload/upload-key.ts';
import { limits } from '../../protocol/limits.ts';

/**
 * Throws away objects of uploads that nobody needs: applied, because an end between the last step and the deletion leaves one
 * behind, and put but never announced. What is stored and not applied stays.
 */
export interface SweepUploadsDeps {
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  readonly clock: Clock;
}

export async function sweepUploads({ uploads, objects, clock }: SweepUploadsDeps): Promise<number> {
  let swept = 0;
  for await (const part of objects.list(UPLOADS)) {
    const gone: string[] = [];
    for (const { key, at } of part) {
      const name = readUploadKey(key);
      if (name === null) continue;
      const { stored, appliedThrough } = await uploads.readHead(name.replicaId);
      const isUnclaimed = name.through > stored.seq && clock.now() - at > limits.uploadUnclaimedMs;
      if (name.through <= appliedThrough || isUnclaimed) gone.push(key);
    }
    await objects.delete(gone);
    swept += gone.length;
  }
  return swept;
}
