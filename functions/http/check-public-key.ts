import { importJWK } from 'jose';
import type { PublicKey } from '../../core/ports/store-registry.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/** Two numbers of the right length need not be a point of the curve. */
export async function checkPublicKey(publicKey: PublicKey): Promise<void> {
  await importJWK({ ...publicKey }, 'ES256').catch((cause: unknown) => {
    throw new SyncError('INVALID_INPUT', 'publicKey: not a point of the curve P-256', { cause });
  });
}
