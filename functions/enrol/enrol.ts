import { importJWK } from 'jose';
import { sha256Hex } from '../../codec/pack.ts';
import { normalizeCode } from '../../core/enrolment-code.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { EnrolRequest, EnrolResponse } from '../../protocol/messages/enrol.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * A one-time code and a public key become a replica; the same two again give the same replica, as an answer can be lost.
 * A wrong code, an expired one and one that another key has used look the same from outside.
 */
export interface EnrolDeps {
  readonly registry: Pick<StoreRegistry, 'enrol'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly organization: string;
}

export async function enrol(deps: EnrolDeps, request: EnrolRequest): Promise<EnrolResponse> {
  await importJWK({ ...request.publicKey }, 'ES256').catch((cause: unknown) => {
    throw new SyncError('INVALID_INPUT', 'publicKey: not a point of the curve P-256', { cause });
  });
  const now = deps.clock.now();
  const code = { sha256: sha256Hex(normalizeCode(request.code)), now };
  const serverTime = new Date(now).toISOString();
  const replica = { uuid: deps.ids.next(), publicKey: request.publicKey, status: 'ACTIVE', enrolledAt: serverTime } as const;
  const enrolled = await deps.registry.enrol(code, replica);
  if (enrolled === null) throw new SyncError('CODE_INVALID', 'the code is wrong, was used already or has expired');
  return {
    organization: deps.organization,
    storeId: enrolled.store.storeId,
    replicaId: enrolled.replica.replicaId,
    serverTime,
  };
}
