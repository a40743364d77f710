import { SyncError } from '../protocol/sync-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** Timers of Node end at 24 days; nobody needs an hour of more than one. */
const MAX_MS = 86_400_000;

/** `5s`, `2m`, `1h` in milliseconds. `INVALID_INPUT` for anything else, and for less than a second or more than a day. */
export function durationMs(option: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? 0);
  if (ms > 0 && ms <= MAX_MS) return ms;
  throw new SyncError('INVALID_INPUT', `${option} ${text} is not a duration: a number with s, m or h, from 1s to 24h`);
}
