import type {
  ApplyStep,
  InboxEntry,
  LostValue,
  ObjectEntry,
  Revision,
  UploadException,
  UploadHead,
  UploadStore,
} from '../../../core/ports/upload-store.ts';
import { CHAIN_START, type Operation, type Receipt } from '../../../protocol/operation.ts';
import type { Faults } from './faults.ts';
import type { MemoryRecordStore } from './memory-record-store.ts';

interface ReplicaState {
  head: UploadHead;
  inbox: InboxEntry[];
  readonly receipts: Receipt[];
  readonly revised: Revision[];
}

/** Uploads in memory; each method is one transaction over them and the main data beside them. */
export class MemoryUploadStore implements UploadStore {
  readonly replicas = new Map<string, ReplicaState>();
  readonly exceptions = new Map<string, UploadException>();
  lost: LostValue[] = [];
  readonly #faults: Faults;
  readonly #records: MemoryRecordStore;
  readonly #isTrusted: (replicaId: string) => boolean;

  constructor(faults: Faults, records: MemoryRecordStore, isTrusted: (replicaId: string) => boolean) {
    this.#faults = faults;
    this.#records = records;
    this.#isTrusted = isTrusted;
  }

  readHead(replicaId: string): Promise<UploadHead> {
    return this.#faults.strike('readHead', () => {
      const { head } = this.#of(replicaId);
      const isWanted = head.wantedThrough !== null && head.wantedThrough > head.appliedThrough;
      return isWanted ? head : { ...head, wantedThrough: null };
    });
  }

  store(head: UploadHead, operations: readonly Operation[], receivedAt: number): Promise<'stored' | 'conflict'> {
    return this.#faults.strike('store', () => {
      const state = this.#of(head.replicaId);
      if (state.head.stored.seq !== head.stored.seq) return 'conflict';
      const last = operations.at(-1);
      if (last === undefined) return 'stored';
      state.inbox.push({ kind: 'operations', operations: [...operations], receivedAt });
      state.head = { ...state.head, stored: { seq: last.seq, chain: last.chain } };
      return 'stored';
    });
  }

  storeObject(head: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'> {
    return this.#faults.strike('storeObject', () => {
      const state = this.#of(head.replicaId);
      if (state.head.stored.seq !== head.stored.seq) return 'conflict';
      state.inbox.push(entry);
      state.head = { ...state.head, stored: entry.through };
      return 'stored';
    });
  }

  readInbox(replicaId: string, after: number, max: number): Promise<InboxEntry[]> {
    return this.#faults.strike('readInbox', () => {
      const later = this.#of(replicaId).inbox.filter((entry) => endOf(entry) > after);
      // What was forgotten is not passed over.
      if (later[0] !== undefined && startOf(later[0]) > after + 1) return [];
      const enough = later.findIndex((entry) => endOf(entry) - after >= max);
      return enough === -1 ? later : later.slice(0, enough + 1);
    });
  }

  forgetInbox(replicaId: string, through: number): Promise<void> {
    return this.#faults.strike('forgetInbox', () => {
      const state = this.#of(replicaId);
      state.inbox = state.inbox.filter((entry) => endOf(entry) > through);
    });
  }

  noteLostObject({ replicaId, appliedThrough }: UploadHead, { through }: ObjectEntry): Promise<'noted' | 'conflict'> {
    return this.#faults.strike('noteLostObject', () => {
      const state = this.#of(replicaId);
      if (state.head.appliedThrough !== appliedThrough) return 'conflict';
      state.head = { ...state.head, wantedThrough: through.seq };
      return 'noted';
    });
  }

  replaceObject({ replicaId, appliedThrough }: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'> {
    return this.#faults.strike('replaceObject', () => {
      const state = this.#of(replicaId);
      const { head, inbox } = state;
      const at = inbox.findIndex((one) => one.kind === 'object' && one.before.seq === entry.before.seq);
      if (head.appliedThrough !== appliedThrough || head.wantedThrough !== entry.through.seq || at === -1) return 'conflict';
      inbox[at] = entry;
      state.head = { ...head, wantedThrough: null };
      return 'stored';
    });
  }

  apply({ head, appliedThrough, writes, receipts, exceptions, lost }: ApplyStep): Promise<'applied' | 'conflict' | 'refused'> {
    return this.#faults.strike('apply', () => {
      const state = this.#of(head.replicaId);
      const moved = state.head.appliedThrough !== head.appliedThrough || !this.#isTrusted(head.replicaId);
      if (
        moved ||
        exceptions.some(({ opId, version }) => (this.exceptions.get(opId)?.version ?? 0) !== version - 1) ||
        !this.#records.writeAtOnce(writes)
      )
        return 'conflict';
      state.head = { ...state.head, appliedThrough };
      state.receipts.push(...receipts);
      for (const exception of exceptions) this.exceptions.set(exception.opId, exception);
      this.lost.push(...lost);
      return 'applied';
    });
  }

  readReceipts(replicaId: string, after: number, max: number): Promise<Receipt[]> {
    return this.#faults.strike('readReceipts', () =>
      this.#of(replicaId)
        .receipts.filter(({ seq }) => seq > after)
        .slice(0, max),
    );
  }

  readRevised(replicaId: string, after: number, max: number): Promise<Revision[]> {
    return this.#faults.strike('readRevised', () =>
      this.#of(replicaId)
        .revised.filter(({ number }) => number > after)
        .slice(0, max),
    );
  }

  listExceptions({ status, storeId, after, max }: Parameters<UploadStore['listExceptions']>[0]) {
    return this.#faults.strike('listExceptions', () => {
      const found = [...this.exceptions.values()]
        .toSorted((a, b) => (a.opId < b.opId ? -1 : 1))
        .filter(({ opId }) => after === undefined || opId > after)
        .filter((exception) => status === undefined || exception.receipt.status === status)
        .filter((exception) => storeId === undefined || exception.storeId === storeId);
      const exceptions = found.slice(0, max);
      return { exceptions, next: found.length > max ? (exceptions.at(-1)?.opId ?? null) : null };
    });
  }

  readLost({ collection, key }: { readonly collection: string; readonly key: string }, max: number): Promise<LostValue[]> {
    return this.#faults.strike('readLost', () =>
      this.lost
        .filter((one) => one.collection === collection && one.key === key)
        .toSorted((a, b) => (a.opId < b.opId ? -1 : 1))
        .slice(0, max),
    );
  }

  forgetLost({ collection, key }: { readonly collection: string; readonly key: string }): Promise<void> {
    return this.#faults.strike('forgetLost', () => {
      this.lost = this.lost.filter((value) => value.collection !== collection || value.key !== key);
    });
  }

  readException(opId: string): Promise<UploadException | null> {
    return this.#faults.strike('readException', () => this.exceptions.get(opId) ?? null);
  }

  readHeld(waitsFor: string): Promise<UploadException[]> {
    return this.#faults.strike('readHeld', () => [...this.exceptions.values()].filter((exception) => exception.waitsFor === waitsFor));
  }

  closeException(
    before: UploadException,
    { writes, lost, receipt, exception, sender }: Parameters<UploadStore['closeException']>[1],
  ): Promise<'closed' | 'conflict'> {
    return this.#faults.strike('closeException', () => {
      if (sender !== null && !this.#isTrusted(sender)) return 'conflict';
      if (this.exceptions.get(before.opId)?.version !== before.version || !this.#records.writeAtOnce(writes)) return 'conflict';
      if (exception === null) this.exceptions.delete(before.opId);
      else this.exceptions.set(before.opId, exception);
      for (const replicaId of [before.replicaId, ...before.copies]) {
        const state = this.#of(replicaId);
        state.head = { ...state.head, revisions: state.head.revisions + 1 };
        state.revised.push({ number: state.head.revisions, receipt });
      }
      this.lost.push(...lost);
      return 'closed';
    });
  }

  #of(replicaId: string): ReplicaState {
    let state = this.replicas.get(replicaId);
    if (state === undefined) {
      const head = { replicaId, stored: { seq: 0, chain: CHAIN_START }, appliedThrough: 0, revisions: 0, wantedThrough: null };
      state = { head, inbox: [], receipts: [], revised: [] };
      this.replicas.set(replicaId, state);
    }
    return state;
  }
}

function endOf(entry: InboxEntry): number {
  return entry.kind === 'object' ? entry.through.seq : (entry.operations.at(-1)?.seq ?? 0);
}

function startOf(entry: InboxEntry): number {
  return entry.kind === 'object' ? entry.before.seq + 1 : (entry.operations[0]?.seq ?? 0);
}
