import type { UploadHead } from '../../core/ports/upload-store.ts';
import { SyncError } from '../../protocol/sync-error.ts';

export function gap({ stored, appliedThrough, revisions }: UploadHead): SyncError {
  return new SyncError('OUTBOX_GAP', `head office has operations up to ${stored.seq}`, {
    details: { storedThrough: stored.seq, appliedThrough, revisions },
  });
}

export function forked(): SyncError {
  return new SyncError('REPLICA_FORKED', 'head office knows another past of this outbox; it was restored or copied');
}
