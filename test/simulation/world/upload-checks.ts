import type { OutboxFile } from '../../../agent/outbox/outbox-file.ts';
import { isOpen, isWaiting } from '../../../core/outbox/entry.ts';
import { clockAt } from '../../../core/outbox/hybrid-clock.ts';
import { readUploadKey } from '../../../core/upload/upload-key.ts';
import { assert } from '../../../protocol/assert.ts';
import type { RedeemResponse } from '../../../protocol/messages/redeem.ts';
import type { Operation } from '../../../protocol/operation.ts';
import type { MemoryObjectStore } from './memory-object-store.ts';
import type { MemoryRecordStore } from './memory-record-store.ts';
import type { MemoryUploadStore } from './memory-upload-store.ts';

/** Who and what a history is about, and what they begin with. */
export const CUSTOMERS = ['1', '2'];
export const COUPONS = ['c1', 'c2'];
export const OPENING = 100;
const HELD_STATUS = new Set(['HELD', 'CONFLICT', 'REJECTED', 'QUARANTINED']);

/** Everything that a store was told is recorded, and was not lost with a disk; `at`: the true time. */
export type Recorded = Map<string, { readonly operation: Operation; readonly at: number }>;

interface CheckedTill {
  readonly replicaId: string;
  readonly outbox: OutboxFile;
}

interface Seen {
  readonly records: MemoryRecordStore;
  readonly uploads: MemoryUploadStore;
  readonly objects: MemoryObjectStore;
  readonly recorded: Recorded;
  /** Gone with a disk, as far as anybody knows: one may have been on its way, and arrive. */
  readonly lost: Recorded;
}

/** What is true of uploads: always, and when everything that can be done is done. */
export class UploadChecks {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  always(): void {
    for (const { head, receipts } of this.#seen.uploads.replicas.values()) {
      const seqs = receipts.map(({ seq }) => seq);
      assert(seqs.length === head.appliedThrough && seqs.every((seq, index) => seq === index + 1), 'INV-12: receipts without gaps');
    }
    this.#checkMoney();
  }

  /** What a till was told of a redemption. */
  answered(outcome: RedeemResponse['outcome'], { collection, key }: { readonly collection: string; readonly key: string }): void {
    const record = this.#seen.records.records.get(`${collection}/${key}`);
    const isThere = record !== undefined && !record.deleted;
    assert(isThere === (outcome === 'APPROVED'), () => `INV-48: ${collection}/${key} is ${outcome} and ${isThere ? '' : 'not '}there`);
  }

  atRest(tills: readonly CheckedTill[]): void {
    this.#checkOutboxes(tills);
    for (const { operation } of this.#seen.recorded.values()) this.#checkArrived(operation);
    this.allApplied();
    for (const user of CUSTOMERS) this.#checkConsent(user);
    this.#checkObjects();
  }

  /** Also of a replica that never comes again. What is lost and asked for is not stored. */
  allApplied(): void {
    for (const [replicaId, { head }] of this.#seen.uploads.replicas)
      assert(
        head.appliedThrough === head.stored.seq || head.wantedThrough !== null,
        () => `INV-11: ${replicaId} has stored ${head.stored.seq} and ${head.appliedThrough} of them are applied`,
      );
  }

  /** What people's data stood in on its way is gone. */
  #checkObjects(): void {
    for (const key of this.#seen.objects.objects.keys()) {
      const { replicaId, through } = readUploadKey(key) ?? {};
      const head = this.#seen.uploads.replicas.get(replicaId ?? '')?.head;
      const isNeeded = head !== undefined && through !== undefined && head.appliedThrough < through && through <= head.stored.seq;
      assert(isNeeded, () => `${key} is applied, or was never announced, and is still there`);
    }
  }

  #checkOutboxes(tills: readonly CheckedTill[]): void {
    for (const till of tills) {
      const { unsent, withoutReceipt } = till.outbox.countOpen();
      assert(
        unsent === 0 && withoutReceipt === 0,
        () => `INV-10: ${till.replicaId} has ${unsent} unsent and ${withoutReceipt} without a receipt`,
      );
      for (const { status, operation } of till.outbox.list({ limit: 10_000 })) {
        assert(!isWaiting(status), 'INV-10: one status, and a closed one');
        const exception = this.#seen.uploads.exceptions.get(operation.opId);
        // What a copy of this disk sent before it was mended may have been judged otherwise there.
        const isOwn = exception !== undefined && [exception.replicaId, ...exception.copies].includes(till.replicaId);
        const standing = isOwn ? exception.receipt.status : undefined;
        assert(
          isOpen(status) ? status === standing : standing === undefined,
          () =>
            `INV-15: ${operation.collection}/${operation.key} is ${status} at ${till.replicaId}, and ${standing ?? 'closed'} at head office`,
        );
      }
    }
  }

  /** Applied under at least one replica; what was taken is in main data. */
  #checkArrived({ opId, collection, key, fields }: Operation): void {
    const receipts = [...this.#seen.uploads.replicas.values()].flatMap((replica) => {
      const revised = replica.revised.findLast(({ receipt }) => receipt.opId === opId)?.receipt;
      const first = replica.receipts.find((receipt) => receipt.opId === opId);
      return first === undefined ? [] : [revised ?? first];
    });
    assert(receipts.length > 0, () => `INV-11: ${collection}/${key} (${opId}) was recorded and never applied`);
    if (receipts.every(({ status }) => HELD_STATUS.has(status) || status === 'SUPERSEDED')) return;
    const record = this.#seen.records.records.get(`${collection}/${key}`);
    assert(record !== undefined, () => `INV-11: ${collection}/${key} was accepted and is not there`);
    if (collection === 'bill') assert(record?.fields['amount'] === fields['amount'], () => `INV-18: ${key} is another bill`);
  }

  #checkMoney(): void {
    const live = [...this.#seen.records.records.values()].filter(({ deleted }) => !deleted);
    for (const user of CUSTOMERS) {
      const entries = live.filter(({ collection, fields }) => collection === 'points_ledger' && fields['user_id'] === user);
      const signed = entries.map(({ fields }) => Number(fields['points']) * (fields['entry_type'] === 'DEBIT' ? -1 : 1));
      const right = OPENING + signed.reduce((sum, moved) => sum + moved, 0);
      const points = Number(this.#seen.records.records.get(`loyalty_summary/${user}/P`)?.fields['points']);
      assert(points === right, () => `INV-16: customer ${user} has ${points} points, ${right} are right`);
      assert(points >= 0, () => `INV-16: customer ${user} has ${points} points`);
    }
    for (const coupon of COUPONS) {
      const used = live.filter(({ collection, fields }) => collection === 'coupon_redemption' && fields['coupon_id'] === coupon).length;
      const counted = Number(this.#seen.records.records.get(`coupon/${coupon}`)?.fields['redemption_count'] ?? 0);
      assert(used <= 2 && counted === used, () => `INV-17: ${coupon} was redeemed ${used} times and counted ${counted} times`);
    }
  }

  /** An opt-out of a clock that was not ahead stands, unless a later opt-in had evidence. */
  #checkConsent(user: string): void {
    const status = this.#seen.records.records.get(`subscription/${user}/O/INSTORE/-/SMS/BULK`)?.fields['status'];
    if (status !== 'OPTIN') return;
    const mine = [...this.#seen.recorded.values()].filter(
      ({ operation }) => operation.collection === 'subscription' && operation.fields['user_id'] === user,
    );
    const outs = mine.filter(({ operation, at }) => operation.fields['status'] === 'OPTOUT' && operation.clock <= clockAt(at) + 1_000);
    const perhaps = [...mine, ...this.#seen.lost.values()].filter(({ operation }) => operation.fields['user_id'] === user);
    const ins = perhaps.filter(({ operation }) => operation.fields['status'] === 'OPTIN').map(({ operation }) => operation.clock);
    for (const { operation } of outs)
      assert(
        ins.some((clock) => clock > operation.clock),
        () => `INV-19: customer ${user} opted out and an older opt-in undid it`,
      );
  }
}
