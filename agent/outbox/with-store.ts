import { existsSync } from 'node:fs';
import type { AgentIo } from '../agent-io.ts';
import { dataPaths } from '../data-folder.ts';
import { requireIdentity } from '../identity.ts';
import { openReadOnly } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';
import { OutboxFile } from './outbox-file.ts';
import { StoreRecords } from './store-records.ts';

/** Opens what a store has and closes it after: beside a running agent, which may put another replica in place at any time. */
export function withStore<T>(
  io: Pick<AgentIo, 'clock' | 'ids'>,
  data: string,
  run: (store: { readonly records: StoreRecords; readonly outbox: OutboxFile; readonly replica: Replica | null }) => T,
): T {
  const paths = dataPaths(data);
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  try {
    const db = openReadOnly(paths.replica);
    const replica = db === null ? null : new Replica(db);
    try {
      return run({ records: new StoreRecords({ replica, outbox, clock: io.clock, ids: io.ids }), outbox, replica });
    } finally {
      replica?.close();
    }
  } finally {
    outbox.close();
  }
}

export function hasUnsent(data: string): boolean {
  const paths = dataPaths(data);
  if (!existsSync(paths.outbox)) return false;
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  try {
    return outbox.unsentCount() > 0;
  } finally {
    outbox.close();
  }
}
