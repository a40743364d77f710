import { OPEN_STATUSES, type Operation, type Receipt } from '../../protocol/operation.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';
import type { MainRecord, RecordWrite } from '../ports/record-store.ts';
import type { LostValue, UploadException } from '../ports/upload-store.ts';
import { RecordOverlay } from '../records/record-overlay.ts';
import { decideOperation } from './decide-operation.ts';
import { type Case, type Verdict, rejected, verdict } from './verdict.ts';

/**
 * As many operations of one replica, in order, as fit one transaction: what they write, what their receipts say, what
 * stands as an exception. Each has one receipt and none is left out (INV-12). One that cannot be judged is set aside and
 * holds up nobody (INV-14).
 */
export interface StepInput extends Omit<Case, 'operation'> {
  readonly replicaId: string;
  readonly operations: readonly Operation[];
  /** Operations that the database itself would not take. */
  readonly setAside?: ReadonlySet<string>;
  /** Exceptions that stand already, by operation: another replica, whose disk this one is a copy of, has sent it. */
  readonly standing?: ReadonlyMap<string, UploadException>;
}

export interface Step {
  readonly appliedThrough: number;
  readonly writes: RecordWrite[];
  readonly receipts: Receipt[];
  readonly exceptions: UploadException[];
  readonly lost: LostValue[];
}

/** A transaction has 100 parts: the watermark, the receipts and the replica's own row are always there. */
const PARTS_MAX = 97;
const BYTES_MAX = 3_500_000;

export function planStep(input: StepInput): Step {
  const step = new StepBuilder(input);
  for (const operation of input.operations) if (!step.add(operation)) break;
  return step.finish();
}

class StepBuilder {
  readonly #input: StepInput;
  readonly #records: RecordOverlay;
  readonly #receipts: Receipt[] = [];
  readonly #exceptions: UploadException[] = [];
  readonly #lost: LostValue[] = [];
  #bytes = 0;

  constructor(input: StepInput) {
    this.#input = input;
    this.#records = new RecordOverlay(input.records, input.now);
  }

  /** false: it did not fit, and nothing of it was added. */
  add(operation: Operation): boolean {
    const judged = this.#unlessStanding(operation, this.#judge(operation));
    const writes = this.#writesOf(judged);
    const outcome = writes.outcome;
    const open = (OPEN_STATUSES as readonly string[]).includes(outcome.status);
    const newKeys = writes.records.filter((record) => !this.#records.isWritten(record)).length;
    const parts = newKeys + (open ? 2 : 0) + (outcome.lost.length > 0 ? 1 : 0);
    const bytes = jsonBytes(writes.records) + (open ? jsonBytes(operation) * 2 : 0) + jsonBytes(outcome.lost);
    if (this.#receipts.length > 0 && (this.#parts() + parts > PARTS_MAX || this.#bytes + bytes > BYTES_MAX)) return false;
    for (const record of writes.records) this.#records.write(record);
    this.#bytes += bytes;
    this.#note(operation, outcome, writes.records[0]?.rev);
    return true;
  }

  finish(): Step {
    return {
      appliedThrough: this.#receipts.at(-1)?.seq ?? 0,
      writes: this.#records.writes(),
      receipts: this.#receipts,
      exceptions: this.#exceptions,
      lost: this.#lost,
    };
  }

  #judge(operation: Operation): Verdict {
    if (this.#input.setAside?.has(operation.opId) === true) return verdict('QUARANTINED', { reason: 'the database does not take it' });
    try {
      return decideOperation({ ...this.#input, operation, records: this.#records });
    } catch (error) {
      // A bug of a rule must not hold up the store: the operation waits for somebody, with the reason.
      return verdict('QUARANTINED', { reason: `it breaks processing: ${error instanceof Error ? error.name : 'unknown'}` });
    }
  }

  #unlessStanding({ opId }: Operation, judged: Verdict): Verdict {
    const isOpen = (OPEN_STATUSES as readonly string[]).includes(judged.status);
    const standing = this.#input.standing?.get(opId);
    if (!isOpen || standing === undefined) return judged;
    const { status, reason, attributes } = standing.receipt;
    const { waitsFor, against } = standing;
    return verdict(status, { ...(reason === undefined ? {} : { reason }), attributes, waitsFor, against });
  }

  /** The records its changes make, or another verdict when they cannot be. */
  #writesOf(outcome: Verdict): { outcome: Verdict; records: MainRecord[] } {
    const records: MainRecord[] = [];
    for (const change of outcome.changes) {
      const made = this.#records.made(change, this.#input.settings.scopes);
      if (typeof made === 'string') return { outcome: rejected(made), records: [] };
      records.push(made);
    }
    return { outcome, records };
  }

  #note(operation: Operation, outcome: Verdict, rev: number | undefined): void {
    const { now, replicaId, store } = this.#input;
    const at = new Date(now).toISOString();
    const { seq, opId, collection, key } = operation;
    const { status, reason, attributes } = outcome;
    const receipt: Receipt = {
      seq,
      opId,
      status,
      ...(reason === undefined ? {} : { reason }),
      attributes: [...attributes],
      ...(rev === undefined ? {} : { rev }),
      at,
    };
    this.#receipts.push(receipt);
    for (const { field, lost, kept } of outcome.lost)
      this.#lost.push({ opId, collection, key, field, lost, kept, from: replicaId, clock: operation.clock, at });
    if ((OPEN_STATUSES as readonly string[]).includes(status))
      this.#exceptions.push({
        opId,
        storeId: store.storeId,
        operation,
        receipt,
        waitsFor: outcome.waitsFor,
        against: outcome.against,
        at,
        ...this.#shared(opId),
      });
  }

  /** One exception of an operation, whoever sends it how often: it goes on as it stands, and one more hears of it. */
  #shared(opId: string): Pick<UploadException, 'replicaId' | 'copies' | 'version'> {
    const { replicaId, standing } = this.#input;
    const known = standing?.get(opId);
    if (known === undefined) return { replicaId, copies: [], version: 1 };
    const copies = known.replicaId === replicaId ? known.copies : [...new Set([...known.copies, replicaId])];
    return { replicaId: known.replicaId, copies, version: known.version + 1 };
  }

  #parts(): number {
    return this.#records.writes().length + this.#exceptions.length * 2 + new Set(this.#lost.map(({ opId }) => opId)).size;
  }
}

function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}
