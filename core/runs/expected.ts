/**
 * When a store has to be heard of again. One that does not come is an error at the centre, also when nobody at the store
 * logs on. `everyHours` is the organization's: long enough for a day on which the store is closed.
 */
export interface Expected {
  readonly expectedBy: string;
  readonly isOverdue: boolean;
}

export function expectedContact({
  lastHeardAt,
  everyHours,
  now,
}: {
  readonly lastHeardAt: string;
  readonly everyHours: number;
  readonly now: number;
}): Expected {
  const by = Date.parse(lastHeardAt) + everyHours * 3_600_000;
  return { expectedBy: new Date(by).toISOString(), isOverdue: now > by };
}
