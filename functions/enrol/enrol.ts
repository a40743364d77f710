import { sha256Hex } from '../../codec/pack.ts';
import { normalizeCode } from '../../core/enrolment-code.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import { addressGroup } from '../../core/address-group.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { WrongCodes } from '../../core/ports/wrong-codes.ts';
import { descendants } from '../../core/stores/descendants.ts';
import { limits } from '../../protocol/limits.ts';
import type { EnrolRequest, EnrolResponse } from '../../protocol/messages/enrol.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { endReplicas } from '../end-replicas.ts';
import { checkPublicKey } from '../http/check-public-key.ts';

/**
 * A one-time code and a public key become a replica; the same two again give the same replica, as an answer can be lost.
 * A wrong code, an expired one and one that another key has used look the same from outside.
 */
export interface EnrolDeps {
  readonly wrongCodes: WrongCodes;
  readonly registry: Pick<StoreRegistry, 'enrol' | 'readListing' | 'retireReplica'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly organization: string;
}

export async function enrol(deps: EnrolDeps, request: EnrolRequest, address: string): Promise<EnrolResponse> {
  await checkPublicKey(request.publicKey);
  const now = deps.clock.now();
  const tried = { group: addressGroup(address), hour: new Date(now).toISOString().slice(0, HOUR_CHARACTERS) };
  await refuseGuessing(deps, { ...tried, now });
  const code = { sha256: sha256Hex(normalizeCode(request.code)), now };
  const serverTime = new Date(now).toISOString();
  const replica = { uuid: deps.ids.next(), publicKey: request.publicKey, status: 'ACTIVE', enrolledAt: serverTime } as const;
  const enrolled = await deps.registry.enrol(code, replica);
  if (enrolled === null) {
    await deps.wrongCodes.note(tried.group, tried.hour);
    throw new SyncError('CODE_INVALID', 'the code is wrong, was used already or has expired');
  }
  const { storeId } = enrolled.store;
  // Whose place it took is retired already; what came of their disks at the same moment goes too.
  const gone = enrolled.replaced;
  if (gone.length > 0)
    await endReplicas(deps.registry, storeId, {
      choose: (replicas) => gone.flatMap((id) => descendants(replicas, id)),
      end: (replicaId) => deps.registry.retireReplica(replicaId),
    });
  return {
    organization: deps.organization,
    storeId,
    replicaId: enrolled.replica.replicaId,
    serverTime,
  };
}

/** Of `2026-11-23T08:20:00.000Z`. */
const HOUR_CHARACTERS = 13;
const HOUR_MS = 3_600_000;

/** Whoever said too many wrong ones is not asked for another, so that nothing is learned of it. Those at the same moment the route holds to a few. */
async function refuseGuessing(
  { wrongCodes }: EnrolDeps,
  { group, hour, now }: { readonly group: string; readonly hour: string; readonly now: number },
): Promise<void> {
  if ((await wrongCodes.count(group, hour)) < limits.wrongCodesPerHour) return;
  const retryAfterMs = HOUR_MS - (now % HOUR_MS);
  const minutes = Math.ceil(retryAfterMs / 60_000);
  throw new SyncError('ENROL_LIMIT', `too many wrong codes came from this address; try again in ${minutes} minutes`, { retryAfterMs });
}
