import { unpackLines } from '../../codec/operation-lines.ts';
import { asReceived } from '../../core/outbox/hybrid-clock.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import type { BatchEntry, ObjectEntry, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { limits } from '../../protocol/limits.ts';
import { type Operation, operationSchema } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { readUpload } from '../read-upload.ts';

/**
 * The next operations of a replica's inbox, whether they stand in it or in an object. The object that was read last stays
 * here, because a hundred steps after this one begin in it as well; its name has its content's digest, so it cannot be stale.
 * Clocks that ran ahead are set to what they count as, by when the operations came in and not by when they are judged.
 */
export interface InboxDeps {
  readonly uploads: Pick<UploadStore, 'readInbox'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly clock: Clock;
}

export interface NextOperations {
  readonly operations: readonly Operation[];
  /** The object they are of. */
  readonly object: ObjectEntry | null;
  /** It is not there any more, or not what it was. */
  readonly isLost: boolean;
}

export class Inbox {
  readonly #deps: InboxDeps;
  #kept: { readonly key: string; readonly lines: readonly string[] } | null = null;

  constructor(deps: InboxDeps) {
    this.#deps = deps;
  }

  /** In order after the watermark; at most `max`, and none of an object together with others. */
  async next({ replicaId, appliedThrough }: UploadHead, max: number): Promise<NextOperations> {
    const operations: Operation[] = [];
    const entries = await this.#deps.uploads.readInbox(replicaId, appliedThrough, max);
    for (const entry of entries) {
      if (entry.kind === 'operations') operations.push(...this.#ofBatch(entry).filter(({ seq }) => seq > appliedThrough));
      else if (operations.length > 0) break;
      else return this.#ofObject(entry, { appliedThrough, max });
    }
    return { operations: operations.slice(0, max), object: null, isLost: false };
  }

  #ofBatch({ operations, receivedAt }: BatchEntry): Operation[] {
    const at = receivedAt ?? this.#deps.clock.now();
    return operations.map((operation, place) => asReceived(operation, { receivedAt: at, place }));
  }

  async #ofObject(entry: ObjectEntry, { appliedThrough, max }: { appliedThrough: number; max: number }): Promise<NextOperations> {
    const lines = await this.#lines(entry);
    if (lines === null) return { operations: [], object: entry, isLost: true };
    const first = appliedThrough - entry.after;
    const receivedAt = entry.receivedAt ?? this.#deps.clock.now();
    const operations = lines
      .slice(first, first + max)
      .map((line) => operationSchema.parse(JSON.parse(line)))
      .map((operation) => asReceived(operation, { receivedAt, place: operation.seq - entry.before.seq }));
    if (operations[0]?.seq !== appliedThrough + 1)
      throw new SyncError('INTEGRITY', 'an object begins at another operation than its entry says');
    return { operations, object: entry, isLost: false };
  }

  async #lines(entry: ObjectEntry): Promise<readonly string[] | null> {
    if (this.#kept?.key === entry.key) return this.#kept.lines;
    // The one before goes first: two are never held.
    this.#kept = null;
    const packed = await readUpload(this.#deps.objects, entry);
    if (packed === null) return null;
    const lines = await unpackLines(packed, limits.uploadRawBytesMax);
    this.#kept = { key: entry.key, lines };
    return lines;
  }
}
