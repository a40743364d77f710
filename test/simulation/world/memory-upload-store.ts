import type { ApplyStep, LostValue, UploadException, UploadHead, UploadStore } from '../../../core/ports/upload-store.ts';
import type { RecordWrite } from '../../../core/ports/record-store.ts';
import { CHAIN_START, type Operation, type Receipt } from '../../../protocol/operation.ts';
import type { Faults } from './faults.ts';
import type { MemoryRecordStore } from './memory-record-store.ts';

interface ReplicaState {
  head: UploadHead;
  readonly operations: Operation[];
  readonly receipts: Receipt[];
  readonly revised: Receipt[];
}

/** Uploads in memory; each method is one transaction over them and the main data beside them. */
export class MemoryUploadStore implements UploadStore {
  readonly replicas = new Map<string, ReplicaState>();
  readonly exceptions = new Map<string, UploadException>();
  readonly lost: LostValue[] = [];
  readonly #faults: Faults;
  readonly #records: MemoryRecordStore;
  readonly #isActive: (replicaId: string) => boolean;

  constructor(faults: Faults, records: MemoryRecordStore, isActive: (replicaId: string) => boolean) {
    this.#faults = faults;
    this.#records = records;
    this.#isActive = isActive;
  }

  readHead(replicaId: string): Promise<UploadHead> {
    return this.#faults.strike('readHead', () => this.#of(replicaId).head);
  }

  store(head: UploadHead, operations: readonly Operation[]): Promise<'stored' | 'conflict'> {
    return this.#faults.strike('store', () => {
      const state = this.#of(head.replicaId);
      if (state.head.stored.seq !== head.stored.seq) return 'conflict';
      const last = operations.at(-1);
      if (last === undefined) return 'stored';
      state.operations.push(...operations);
      state.head = { ...state.head, stored: { seq: last.seq, chain: last.chain } };
      return 'stored';
    });
  }

  readOperations(replicaId: string, after: number, max: number): Promise<Operation[]> {
    return this.#faults.strike('readOperations', () =>
      this.#of(replicaId)
        .operations.filter(({ seq }) => seq > after)
        .slice(0, max),
    );
  }

  apply({ head, appliedThrough, writes, receipts, exceptions, lost }: ApplyStep): Promise<'applied' | 'conflict'> {
    return this.#faults.strike('apply', () => {
      const state = this.#of(head.replicaId);
      const moved = state.head.appliedThrough !== head.appliedThrough || !this.#isActive(head.replicaId);
      if (moved || exceptions.some(({ opId }) => this.exceptions.has(opId)) || !this.#records.writeAtOnce(writes)) return 'conflict';
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

  readRevised(replicaId: string, max: number): Promise<Receipt[]> {
    return this.#faults.strike('readRevised', () => this.#of(replicaId).revised.slice(-max));
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

  readException(opId: string): Promise<UploadException | null> {
    return this.#faults.strike('readException', () => this.exceptions.get(opId) ?? null);
  }

  readHeld(waitsFor: string): Promise<UploadException[]> {
    return this.#faults.strike('readHeld', () => [...this.exceptions.values()].filter((exception) => exception.waitsFor === waitsFor));
  }

  closeException(
    before: UploadException,
    {
      writes,
      lost,
      receipt,
      exception,
    }: { writes: readonly RecordWrite[]; lost: readonly LostValue[]; receipt: Receipt; exception: UploadException | null },
  ): Promise<'closed' | 'conflict'> {
    return this.#faults.strike('closeException', () => {
      if (this.exceptions.get(before.opId)?.version !== before.version || !this.#records.writeAtOnce(writes)) return 'conflict';
      if (exception === null) this.exceptions.delete(before.opId);
      else this.exceptions.set(before.opId, exception);
      const state = this.#of(before.replicaId);
      state.head = { ...state.head, revisions: state.head.revisions + 1 };
      state.revised.push(receipt);
      this.lost.push(...lost);
      return 'closed';
    });
  }

  #of(replicaId: string): ReplicaState {
    let state = this.replicas.get(replicaId);
    if (state === undefined) {
      const head = { replicaId, stored: { seq: 0, chain: CHAIN_START }, appliedThrough: 0, revisions: 0 };
      state = { head, operations: [], receipts: [], revised: [] };
      this.replicas.set(replicaId, state);
    }
    return state;
  }
}
