import { limits } from '../../protocol/limits.ts';

/**
 * How much of the horizon a replica has used up since it was last heard of. Beyond it the replica reconciles with a
 * snapshot instead of reading what changed: right, but more to transfer. So people are told before, not after.
 */
export const HORIZON_LEVELS = ['FINE', 'HALF', 'NEAR', 'BEYOND'] as const;
export type HorizonLevel = (typeof HORIZON_LEVELS)[number];

export interface HorizonUse {
  /** Whole percent, rounded down; may be over 100. */
  readonly percent: number;
  /** From 50 %, 80 % and 100 % on. */
  readonly level: HorizonLevel;
}

export function horizonUse(lastHeardAt: string, now: number): HorizonUse {
  const percent = Math.max(0, Math.floor(((now - Date.parse(lastHeardAt)) / limits.horizonMs) * 100));
  const level = percent >= 100 ? 'BEYOND' : percent >= 80 ? 'NEAR' : percent >= 50 ? 'HALF' : 'FINE';
  return { percent, level };
}
