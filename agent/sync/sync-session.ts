import type { ReportRequest } from '../../protocol/messages/report.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import { dataPaths } from '../data-folder.ts';
import { moveAside, openReplicaFile } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';
import type { SyncDeps } from './sync-deps.ts';

/** One run over one data folder. Holds the open replica, which a bulk load replaces under it. */
export type ReportedState = ReportRequest['feeds'][number];

export class SyncSession {
  readonly deps: SyncDeps;
  #replica: Replica;

  constructor(deps: SyncDeps) {
    this.deps = deps;
    this.#replica = this.#open();
  }

  get replica(): Replica {
    return this.#replica;
  }

  /** Closes the replica, lets `exchange` put another file in its place, and opens that. */
  swap(exchange: () => void): void {
    this.#replica.close();
    try {
      exchange();
    } finally {
      this.#replica = this.#open();
    }
  }

  /** What is damaged is put away; the next session starts with an empty replica. */
  moveAside(reason: Error): void {
    this.close();
    const { replica } = dataPaths(this.deps.dataDir);
    this.deps.progress.note(`${reason.message}; it was moved to ${moveAside(replica, this.deps.clock.now())} and is loaded again`);
  }

  /** What `status` shows of the last run. A note that cannot be written must not hide why. */
  noteRun(error: unknown): void {
    if (!this.#replica.db.isOpen || this.deps.signal.aborted) return;
    const at = new Date(this.deps.clock.now()).toISOString();
    const failure = isSyncError(error)
      ? { code: error.code, message: error.message }
      : error === null
        ? null
        : { code: 'INTERNAL', message: 'see the log' };
    try {
      this.#replica.setLastRun({ at, failure });
    } catch {
      // The disk is full or the file is damaged: the error that is on its way says so.
    }
  }

  close(): void {
    if (this.#replica.db.isOpen) this.#replica.close();
  }

  #open(): Replica {
    const { replica } = dataPaths(this.deps.dataDir);
    const { db, movedAside } = openReplicaFile(replica, { now: this.deps.clock.now() });
    if (movedAside !== null) this.deps.progress.note(`${movedAside.reason}; it was moved to ${movedAside.to} and is loaded again`);
    return new Replica(db);
  }
}
