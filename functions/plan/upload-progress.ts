import type { UploadStore } from '../../core/ports/upload-store.ts';
import type { PlanRequest, PlanResponse } from '../../protocol/messages/plan.ts';

/**
 * How far head office has what a replica sent, if it asks: one small read. A head office that was restored from a backup has
 * less than it said, and a store with nothing new to send would never notice (INV-11).
 */
export async function uploadProgress(
  { uploads }: { readonly uploads: Pick<UploadStore, 'readHead'> },
  replicaId: string,
  { withUploads }: Pick<PlanRequest, 'withUploads'>,
): Promise<Pick<PlanResponse, 'uploads'>> {
  if (withUploads !== true) return {};
  const { stored, appliedThrough, revisions } = await uploads.readHead(replicaId);
  return { uploads: { storedThrough: stored.seq, appliedThrough, revisions } };
}
