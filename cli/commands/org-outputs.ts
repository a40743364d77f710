import type { Command } from 'commander';
import { SyncError } from '../../protocol/sync-error.ts';
import { readDeployed } from '../deploy/deployed.ts';
import { type TargetOptions, refreshOutputs, targetOf, withTargetOptions } from '../deploy/targets.ts';
import { print, table } from '../output.ts';

/** The names and addresses of what is deployed. */
export function addOrgOutputsCommand(org: Command): void {
  withTargetOptions(org.command('outputs <org>'))
    .description('names and addresses of what is deployed, as this machine knows them')
    .option('--refresh', 'read them from AWS first')
    .action(async (name: string, options: TargetOptions & { readonly refresh?: boolean }) => {
      const target = targetOf(name, options);
      const deployed =
        options.refresh === true ? await refreshOutputs(target, options) : readDeployed(options.orgs, target.organization.name);
      if (deployed === null)
        throw new SyncError(
          'NOT_READY',
          `this machine knows of no deployment of ${name}; \`storeline org outputs ${name} --refresh\` reads it from AWS`,
        );
      print({ json: options.json === true }, deployed, () =>
        [
          `${deployed.stack} in ${deployed.region} of the account ${deployed.account}, read at ${deployed.readAt}`,
          table(
            ['output', 'value'],
            Object.entries(deployed.outputs).toSorted(([a], [b]) => a.localeCompare(b)),
          ),
        ].join('\n\n'),
      );
    });
}
