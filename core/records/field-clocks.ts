import type { MainRecord } from '../ports/record-store.ts';

/**
 * When each field of a record was set that stores and head office both may set. `*` stands for all that it had when it was
 * made: a name for each would be a quarter of a customer.
 */
const WHEN_MADE = '*';

export function clocksWhenMade(clock: number): Readonly<Record<string, number>> {
  return { [WHEN_MADE]: clock };
}

/** 0: it was never set, or before that was kept. */
export function fieldClock(record: Pick<MainRecord, 'fields' | 'clocks'> | null, name: string): number {
  const own = record?.clocks?.[name];
  if (own !== undefined) return own;
  return record?.fields[name] === undefined ? 0 : (record.clocks?.[WHEN_MADE] ?? 0);
}
