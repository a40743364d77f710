import type { Command } from 'commander';
import { components } from '../../protocol/catalogue/catalogue.ts';
import { print, table } from '../output.ts';

/** The 14 components, from the catalogue. */
export function addComponentsCommand(program: Command): void {
  program
    .command('components')
    .description('list the 14 components, where they are used and what they hold')
    .option('--json', 'as JSON')
    .action((options: { json?: boolean }) => {
      const rows = components.map((component) => ({
        component: component.name,
        used: component.used,
        editions: component.editions,
        collections: component.collections.map((collection) => collection.name),
        direction: component.direction,
      }));
      print({ json: options.json === true }, rows, () =>
        table(
          ['component', 'editions', 'direction', 'collections'],
          rows.map((row) => [row.component, row.used ? row.editions.join(', ') : 'not used', row.direction, row.collections.join(', ')]),
        ),
      );
    });
}
