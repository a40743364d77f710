import type { Series } from './histories.ts';

/** How many histories run: SIM_HISTORIES in total (20,000 in CI), from SIM_SEED on. */
export const HEAD_OFFICE_SERIES: Series = {
  firstSeed: Number(process.env['SIM_SEED'] ?? 1),
  histories: Number(process.env['SIM_HISTORIES'] ?? 17_000),
};
