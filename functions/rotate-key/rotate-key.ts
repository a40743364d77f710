import type { Clock } from '../../core/ports/clock.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { isNewKeyDue, isSameKey } from '../../core/proofs/replica-keys.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import type { RotateKeyRequest, RotateKeyResponse } from '../../protocol/messages/rotate-key.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { checkPublicKey } from '../http/check-public-key.ts';

/**
 * A replica says which key is its next. Until that is used the old one is good as well, for a day; asking again with the same key,
 * signed by either, changes nothing (INV-55).
 */
export async function rotateKey(
  { registry, clock }: { readonly registry: Pick<StoreRegistry, 'offerKey'>; readonly clock: Clock },
  { replicaId, publicKey: before }: Replica,
  { publicKey }: RotateKeyRequest,
): Promise<RotateKeyResponse> {
  await checkPublicKey(publicKey);
  const serverTime = new Date(clock.now()).toISOString();
  const isThere = isSameKey(before, publicKey);
  // It had that key when it was let in, and was revoked or got another one since.
  if (!isThere && (await registry.offerKey(replicaId, { before, publicKey, since: serverTime })) === 'gone')
    throw new SyncError('UNAUTHORIZED', 'the replica has another key, or is not active any more');
  return { replicaId, serverTime };
}

/** Part of every plan: the agent makes another key when its sync is over. */
export function keyNotice({ clock }: { readonly clock: Clock }, replica: Replica): Pick<PlanResponse, 'newKey'> {
  return isNewKeyDue(replica, clock.now()) ? { newKey: true } : {};
}
