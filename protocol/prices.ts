/**
 * What the cloud bills, by the unit it bills in. List prices of one large European region in US dollars, on demand and
 * without free tiers, as of the date. Change them here; everything that speaks of money reads this table.
 */
export const PRICES_AS_OF = '2026-11-01';

export const prices = {
  'dynamodb.readUnits': { usd: 0.125e-6, unit: '4 KB read strongly consistent, half of it otherwise, twice in a transaction' },
  'dynamodb.writeUnits': { usd: 0.625e-6, unit: '1 KB written, twice in a transaction' },
  's3.puts': { usd: 5e-6, unit: 'PUT' },
  's3.gets': { usd: 0.4e-6, unit: 'GET' },
  'egress.bytes': { usd: 0.09e-9, unit: 'byte that leaves the region' },
  'lambda.requests': { usd: 0.2e-6, unit: 'invocation' },
  'lambda.gbMs': { usd: 0.0000133334e-3, unit: 'GB of memory for a millisecond, Arm' },
  'api.requests': { usd: 1e-6, unit: 'request of an HTTP API' },
  'sqs.requests': { usd: 0.4e-6, unit: 'request of up to 64 KB' },
  'states.transitions': { usd: 25e-6, unit: 'transition of a standard workflow' },
} as const satisfies Record<string, { usd: number; unit: string }>;

export type Metric = keyof typeof prices;
export type Counts = Readonly<Partial<Record<Metric, number>>>;

export function costUsd(counts: Counts): number {
  return (Object.entries(counts) as [Metric, number][]).reduce((sum, [metric, count]) => sum + count * prices[metric].usd, 0);
}
