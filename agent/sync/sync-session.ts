import type { ReportRequest } from '../../protocol/messages/report.ts';
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
