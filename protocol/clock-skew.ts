import { limits } from './limits.ts';

/**
 * How far a store's clock is from head office's: its own minus theirs. The agent signs by head office's clock and needs nothing; times that
 * are recorded are the store's, and count as at most five minutes ahead.
 */
export interface ClockSkew {
  readonly skewMs: number;
  /** Somebody should set it. */
  readonly isOff: boolean;
  readonly remedy: string | null;
}

export function clockSkew(skewMs: number): ClockSkew {
  const isOff = Math.abs(skewMs) > limits.clockOffMs;
  return { skewMs, isOff, remedy: isOff ? REMEDY : null };
}

const REMEDY =
  "Set the clock of the store's machine and switch on its time service (NTP). What it records until then has wrong times; the agent itself goes on.";

/** `+12 s`, `-3 h 5 min`. */
export function describeSkew(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  const sign = skewMs < 0 && seconds > 0 ? '-' : '+';
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ].filter(([count], index) => count !== 0 || (index === 3 && seconds === 0));
  return `${sign}${parts
    .slice(0, 2)
    .map((part) => part.join(' '))
    .join(' ')}`;
}
