import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import type { SyncDeps } from './sync-deps.ts';
import type { ChunkWork } from './chunk-stream.ts';

/** Refuses a load before it starts if the disk cannot hold it, with numbers a person can act on. */
export async function guardFreeSpace(
  { freeBytes, dataDir, download }: Pick<SyncDeps, 'freeBytes' | 'dataDir' | 'download'>,
  work: readonly ChunkWork[],
): Promise<void> {
  let needed: number = agentLimits.diskReserveBytes;
  for (const { range } of work) {
    const { sha256, bytes, rawBytes } = range.chunk;
    needed += rawBytes * agentLimits.diskPerRawByte + (download.has(sha256) ? 0 : bytes);
  }
  const free = await freeBytes(dataDir);
  if (free >= needed) return;
  const details = { freeBytes: free, neededBytes: Math.ceil(needed) };
  throw new SyncError(
    'STORAGE_FULL',
    `the disk has ${mib(free)} MiB free and this load needs ${mib(needed)} MiB; free space and start again`,
    { details },
  );
}

function mib(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}
