import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { isSyncError } from '../protocol/sync-error.ts';
import { writeDurably } from './durable-file.ts';

/**
 * How far this machine's clock was from head office's when it was measured last, in `clock.json`: its own minus theirs. Every answer measures
 * it; it is written down when it moved, or once an hour. Lost, it is measured again.
 */
const noteSchema = z.object({ skewMs: z.number(), measuredAt: z.string() });
export type ClockNote = z.infer<typeof noteSchema>;

const MOVED_MS = 5_000;
const EVERY_MS = 3_600_000;

export function readClockNote(path: string): ClockNote | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

/** `serverTime` (ms) is of a moment between `sentAt` and `heardAt`. */
export function noteClock(path: string, { sentAt, heardAt, serverTime }: { sentAt: number; heardAt: number; serverTime: number }): void {
  const before = readClockNote(path);
  const skewMs = Math.round((sentAt + heardAt) / 2 - serverTime);
  const isKnown = before !== null && Math.abs(skewMs - before.skewMs) < MOVED_MS && serverTime - Date.parse(before.measuredAt) < EVERY_MS;
  if (isKnown) return;
  try {
    writeDurably(path, `${JSON.stringify({ skewMs, measuredAt: new Date(serverTime).toISOString() } satisfies ClockNote)}\n`);
  } catch (error) {
    // A full disk must not keep a store from asking.
    if (!isSyncError(error, 'STORAGE_FULL')) throw error;
  }
}
