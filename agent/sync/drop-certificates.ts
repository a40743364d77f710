import { existsSync } from 'node:fs';
import type { FeedName } from '../../protocol/feed.ts';
import type { AgentIo } from '../agent-io.ts';
import type { DataPaths } from '../data-folder.ts';
import { openReplicaFile } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';

/** This replica has to prove itself again: all of it, or some feeds. The next sync does; it fetches only what differs. */
export function dropCertificates({ clock }: Pick<AgentIo, 'clock'>, paths: Pick<DataPaths, 'replica'>, feeds?: readonly FeedName[]): void {
  if (!existsSync(paths.replica)) return;
  const replica = new Replica(openReplicaFile(paths.replica, { now: clock.now() }).db);
  try {
    if (feeds === undefined) replica.dropCertificates();
    else replica.transaction(() => feeds.forEach((feed) => replica.dropCertificate(feed)));
  } finally {
    replica.close();
  }
}
