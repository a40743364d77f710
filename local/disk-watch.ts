/**
 * Says so when the disk is nearly full. Nothing is lost then: what cannot be written fails, is not confirmed, and is
 * tried again. But the emulators report it as an internal error of theirs, and somebody has to know what to do.
 */
import { statfs } from 'node:fs/promises';

const FREE_BYTES_MIN = 8 << 20;
const EVERY_MS = 2_000;

export function watchDisk(folder: string, log: (message: string) => void): { close(): void } {
  let wasFull = false;
  const look = async () => {
    const { bavail, bsize } = await statfs(folder);
    const isFull = bavail * bsize < FREE_BYTES_MIN;
    if (isFull && !wasFull) log(`STORAGE_FULL: the disk of ${folder} is full. Free space; what waits is tried again, nothing is lost.`);
    if (!isFull && wasFull) log(`the disk of ${folder} has space again`);
    wasFull = isFull;
  };
  const timer = setInterval(() => void look().catch(() => {}), EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
