import type { SyncMinutes } from '../protocol/store-settings.ts';
import { keyHash } from './key-hash.ts';

/**
 * When a replica syncs by itself, as a cron pattern with seconds, in UTC.
 *
 * Its place within the interval comes from its id: it is the same after every restart, and the stores of an
 * organization are spread over the whole interval, with no other jitter needed.
 */
export function syncSchedule(replicaId: string, everyMinutes: SyncMinutes): string {
  const second = keyHash(replicaId) % (everyMinutes * 60);
  return `${second % 60} ${Math.floor(second / 60)}-59/${everyMinutes} * * * *`;
}
