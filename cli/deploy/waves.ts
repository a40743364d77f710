/** Which organizations are deployed together, and where it stops. */
export type Outcome = 'DEPLOYED' | 'FAILED';

/** Whose turn it is, in the order given: nobody's once one has failed, or when everybody had theirs. */
export function nextWave(order: readonly string[], outcomes: ReadonlyMap<string, Outcome>, size: number): string[] {
  if ([...outcomes.values()].includes('FAILED')) return [];
  return order.filter((name) => !outcomes.has(name)).slice(0, size);
}

/** What became of whom; each is in exactly one list. */
export function standings(
  order: readonly string[],
  outcomes: ReadonlyMap<string, Outcome>,
): { deployed: string[]; failed: string[]; notTried: string[] } {
  const those = (outcome: Outcome | undefined) => order.filter((name) => outcomes.get(name) === outcome);
  return { deployed: those('DEPLOYED'), failed: those('FAILED'), notTried: those(undefined) };
}
