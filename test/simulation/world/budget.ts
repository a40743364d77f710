import type { Series } from './histories.ts';

/**
 * How many histories run: SIM_HISTORIES in total (20,000 unless it is said), each series from SIM_SEED on. A quarter are of
 * uploads, which cost six times as much as one of head office, one in twelve is of the whole system, which costs about thirty times as much, and the rest are of head office.
 */
const TOTAL = Number(process.env['SIM_HISTORIES'] ?? 20_000);
const FIRST_SEED = Number(process.env['SIM_SEED'] ?? 1);
const series = (histories: number): Series => ({ firstSeed: FIRST_SEED, histories: Math.max(1, Math.floor(histories)) });

export const UPLOAD_SERIES = series(TOTAL / 4);
export const WHOLE_SYSTEM_SERIES = series(TOTAL / 12);
export const HEAD_OFFICE_SERIES = series(TOTAL - UPLOAD_SERIES.histories - WHOLE_SYSTEM_SERIES.histories);
/** On top, because they are short: five outages and more in each, so a whole series has 100,000. */
export const FRESH_SERIES = series(TOTAL);
