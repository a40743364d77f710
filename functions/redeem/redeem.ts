import { recordKey } from '../../core/outbox/capture.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { Replica, Store } from '../../core/ports/store-registry.ts';
import { RecordOverlay } from '../../core/records/record-overlay.ts';
import { decideOperation } from '../../core/upload/decide-operation.ts';
import { type Verdict, rejected } from '../../core/upload/verdict.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { RedeemRequest, RedeemResponse } from '../../protocol/messages/redeem.ts';
import { CHAIN_START, type Operation } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { loadRecords } from '../apply/load-records.ts';

/**
 * A redemption that waits for its answer at the till: judged by the same rules as one that comes with an upload, and
 * written in one transaction or not at all (INV-48). Which of the two ways it came makes no difference to what is there
 * after, so a till may ask, get no answer, and record it offline: it is spent once.
 * Nothing is written for a replica that was revoked since it was let in (INV-25).
 */
export interface RedeemDeps {
  readonly records: Pick<RecordStore, 'getMany' | 'writeTogether'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly settings: { readonly scopes: ScopeSettings; readonly withheld: ReadonlySet<string> };
}

/** Others moved the same points this often in a row. */
const CONFLICT_TRIES = 8;
const APPROVED: ReadonlySet<Verdict['status']> = new Set<Verdict['status']>(['ACCEPTED', 'ACCEPTED_WITH_WARNINGS', 'DUPLICATE']);

export async function redeem(
  deps: RedeemDeps,
  { store, replica }: { readonly store: Store; readonly replica: Pick<Replica, 'replicaId'> },
  { collection, fields }: RedeemRequest,
): Promise<RedeemResponse> {
  const address = recordKey(collectionOf(collection), fields);
  if (address.outcome === 'refused')
    throw new SyncError('INVALID_INPUT', address.issues.map(({ field, reason }) => `${field} ${reason}`).join('; '));
  const { key } = address;
  const opId = deps.ids.next();
  for (let tries = 0; tries < CONFLICT_TRIES; tries += 1) {
    const now = deps.clock.now();
    const operation: Operation = { seq: 1, opId, collection, key, kind: 'put', fields, base: 0, clock: 0, chain: CHAIN_START };
    const seen = await loadRecords(deps.records, [operation]);
    const overlay = new RecordOverlay(seen, now);
    const judged = withRecords(overlay, decideOperation({ operation, records: overlay, now, store, settings: deps.settings }), deps);
    const writes = overlay.writes();
    if (writes.length > 0 && (await deps.records.writeTogether(writes, replica.replicaId)) === 'conflict') continue;
    const isApproved = APPROVED.has(judged.status);
    const balance = isApproved ? overlay.get(collection, key)?.fields['balance_after'] : undefined;
    return {
      serverTime: new Date(now).toISOString(),
      key,
      outcome: isApproved ? 'APPROVED' : 'DECLINED',
      reason: isApproved ? null : (judged.reason ?? 'it cannot be redeemed'),
      isRepeat: judged.status === 'DUPLICATE',
      balanceAfter: balance === undefined ? null : String(balance),
    };
  }
  throw new SyncError('CONFLICT', 'others keep moving the same points; nothing was redeemed', { retryAfterMs: 500 });
}

function withRecords(overlay: RecordOverlay, judged: Verdict, { settings }: RedeemDeps): Verdict {
  const made = judged.changes.map((change) => overlay.made(change, settings.scopes));
  const issue = made.find((one) => typeof one === 'string');
  if (issue !== undefined) return rejected(issue);
  for (const record of made) if (typeof record !== 'string') overlay.write(record);
  return judged;
}
