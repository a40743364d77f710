/** One record of the demo organization, as `records.write` takes it. */
export interface GeneratedRecord {
  readonly collection: string;
  readonly record: Record<string, unknown>;
}

/** Everything generated is placed before this instant, so that the same seed gives the same organization on any day. */
export const EPOCH_MS = Date.UTC(2026, 10, 1);
export const DAY_MS = 86_400_000;

export function instant(ms: number): string {
  return new Date(Math.floor(ms / 1_000) * 1_000).toISOString().replace('.000Z', 'Z');
}

export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Minor units to a decimal string of major units. */
export function major(minor: number): string {
  return (minor / 100).toFixed(2);
}
