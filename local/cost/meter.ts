import { type Counts, type Metric, PRICES_AS_OF, costUsd } from '../../protocol/prices.ts';
import type { CostReport } from '../../protocol/local-stack.ts';

/** Counts what the cloud would bill, by operation (the function that asked) and by store where a request names one. */
export class CostMeter {
  readonly #operations = new Map<string, Map<Metric, number>>();
  readonly #stores = new Map<string, Map<Metric, number>>();

  count(metric: Metric, amount: number, by: { readonly operation: string; readonly store?: string | null }): void {
    add(this.#operations, by.operation, { metric, amount });
    if (by.store !== undefined && by.store !== null) add(this.#stores, by.store, { metric, amount });
  }

  report(): CostReport {
    const operations = [...this.#operations.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const totals = new Map<Metric, number>();
    for (const counts of this.#operations.values())
      for (const [metric, amount] of counts) totals.set(metric, (totals.get(metric) ?? 0) + amount);
    return {
      pricesAsOf: PRICES_AS_OF,
      total: priced(totals),
      operations: operations.map((name) => ({ name, ...priced(this.#operations.get(name)) })),
      stores: [...this.#stores].map(([storeId, counts]) => ({ storeId, ...priced(counts) })),
    };
  }
}

function add(all: Map<string, Map<Metric, number>>, name: string, { metric, amount }: { metric: Metric; amount: number }): void {
  const counts = all.get(name) ?? new Map<Metric, number>();
  all.set(name, counts.set(metric, (counts.get(metric) ?? 0) + amount));
}

function priced(counts: ReadonlyMap<Metric, number> = new Map()): { counts: Counts; usd: number } {
  const plain = Object.fromEntries(counts) as Counts;
  return { counts: plain, usd: costUsd(plain) };
}
