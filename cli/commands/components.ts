import type { Command } from 'commander';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import { syncDetails } from '../../protocol/sync-details/sync-details.ts';
import { print, table } from '../output.ts';

/** The 14 components, from the catalogue; `data-sync-details` says all there is of each. */
export function addComponentsCommand(program: Command): void {
  program
    .command('components')
    .description('list the 14 components, where they are used and what they hold')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => {
      const rows = syncDetails().components.map(({ name, status, why, direction, collections }) => ({
        component: name,
        used: Object.values(status).some((one) => one !== 'NOT_USED'),
        editions: EDITIONS.filter((edition) => status[edition] === 'ENABLED'),
        status,
        why,
        collections: collections.map((collection) => collection.name),
        direction,
      }));
      print({ json: options.json === true }, rows, () => {
        const lines = rows.map(({ component, status, direction, collections }) => [
          component,
          ...EDITIONS.map((edition) => status[edition]),
          direction,
          collections.join(', '),
        ]);
        const reasons = new Map(rows.flatMap(({ status, why }) => (why === null ? [] : [[status.core, why]])));
        const notes = [...reasons].map(([status, why]) => `${status}: ${why}`);
        return [table(['component', ...EDITIONS, 'direction', 'collections'], lines), '', ...notes].join('\n');
      });
    });
}
