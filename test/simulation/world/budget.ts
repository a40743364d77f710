import type { Series } from './histories.ts';

/**
 * How many histories run: SIM_HISTORIES in total (20,000 unless it is said), from SIM_SEED on. One in twelve is of the whole system,
 * which costs about twenty times as much as one of head office.
 */
const TOTAL = Number(process.env['SIM_HISTORIES'] ?? 20_000);
const FIRST_SEED = Number(process.env['SIM_SEED'] ?? 1);
const WHOLE_SYSTEM = Math.max(1, Math.floor(TOTAL / 12));

/** As many of uploads, which are short. */
export const UPLOAD_SERIES: Series = { firstSeed: FIRST_SEED, histories: TOTAL };
export const WHOLE_SYSTEM_SERIES: Series = { firstSeed: FIRST_SEED, histories: WHOLE_SYSTEM };
export const HEAD_OFFICE_SERIES: Series = { firstSeed: FIRST_SEED, histories: Math.max(1, TOTAL - WHOLE_SYSTEM) };
/** Five outages and more in each, so a whole series has 100,000. */
export const FRESH_SERIES: Series = { firstSeed: FIRST_SEED, histories: TOTAL };
