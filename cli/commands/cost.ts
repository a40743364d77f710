import type { Command } from 'commander';
import { costReportSchema } from '../../protocol/local-stack.ts';
import type { Metric } from '../../protocol/prices.ts';
import { prices } from '../../protocol/prices.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { print, table } from '../output.ts';
import { runningStack } from '../stack.ts';

/** What the cloud would have billed for what a local stack did since it was started. */
export function addCostCommand(program: Command): void {
  program
    .command('cost')
    .description('what the local stack did since it was started, in billed units and list prices')
    .requiredOption('--dir <folder>', 'folder of a local stack that runs')
    .option('--json', 'as JSON')
    .action(async ({ dir, json }: { dir: string; json?: boolean }) => {
      const stack = await runningStack(dir);
      if (stack === null)
        throw new SyncError('LOCAL_STACK', `no local stack runs in ${dir}; start one with \`storeline local --dir ${dir}\``);
      const report = costReportSchema.parse(await (await fetch(`${stack.api}/_local/cost`)).json());
      print({ json: json === true }, report, () => {
        const metrics = (Object.keys(prices) as Metric[]).filter((metric) => (report.total.counts[metric] ?? 0) > 0);
        const rows = [...report.operations, { name: 'total', ...report.total }].map(({ name, counts, usd }) => [
          name,
          ...metrics.map((metric) => Math.round(counts[metric] ?? 0).toLocaleString('en-US')),
          usd.toFixed(6),
        ]);
        return `${table(['operation', ...metrics, 'USD'], rows)}\n\nList prices of ${report.pricesAsOf}. Times of functions are this machine's.`;
      });
    });
}
