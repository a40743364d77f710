import { oneFresh } from './fresh.ts';
import { couponChange, customerChange, ledgerChange, range } from './records.ts';
import { SeededCloud } from './seeded-cloud.ts';
import { type BenchResult, round } from './stats.ts';

/**
 * Does a fresh sync slow down or need more memory as the data grows? Mixed rows (two sevenths customers, four ledger, one
 * coupons) at 300,000, 1,000,000 and the given number; the heap is capped at 256 MB throughout.
 */
export async function benchScale({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const sizes = [300_000, 1_000_000, rows];
  const runs: { rows: number; rowsPerSecond: number; peakMb: number }[] = [];
  for (const size of sizes) {
    const cloud = await SeededCloud.start();
    try {
      const seventh = Math.floor(size / 7);
      const customers = seventh * 2;
      const ledger = seventh * 4;
      say(`filling the local cloud with ${customers} customers, ${ledger} ledger entries, ${seventh} coupons`);
      await cloud.append(
        'Customer@org',
        range(customers, (index) => customerChange(index)),
      );
      await cloud.append('Customer@org', range(ledger, ledgerChange));
      await cloud.append('Voucher Series@org', range(seventh, couponChange));
      await cloud.compact('Customer@org');
      await cloud.compact('Voucher Series@org');
      const { rowsPerSecond, peakMb } = await oneFresh(cloud, 'scale', seventh * 7);
      runs.push({ rows: seventh * 7, rowsPerSecond: Math.round(rowsPerSecond), peakMb });
      say(`${seventh * 7} rows: ${Math.round(rowsPerSecond)} rows/s, peak ${peakMb} MB`);
    } finally {
      await cloud.close();
    }
  }
  const [small, middle, large] = runs as [(typeof runs)[0], (typeof runs)[0], (typeof runs)[0]];
  return {
    name: 'scale',
    ours: large.rowsPerSecond,
    limit: small.rowsPerSecond,
    ratio: round(large.rowsPerSecond / small.rowsPerSecond),
    unit: 'rows/s',
    memoryRatio: round(large.peakMb / middle.peakMb),
    runs,
  };
}
