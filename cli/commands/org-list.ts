import type { Command } from 'commander';
import { organizationFiles, readOrganization } from '../../infra/organizations.ts';
import { readDeployed } from '../deploy/deployed.ts';
import { type OrgOptions, withOrgOptions } from '../deploy/org-options.ts';
import { print, table } from '../output.ts';

/** Which organizations there are, and which of them were deployed from this machine. */
export function addOrgListCommand(org: Command): void {
  withOrgOptions(org.command('list'))
    .description('list organizations, and where each was deployed from this machine')
    .action(({ orgs, json }: OrgOptions) => {
      const organizations = organizationFiles(orgs, []).map((file) => {
        const { name, displayName, region, account } = readOrganization(orgs, file);
        const deployed = readDeployed(orgs, name);
        return { name, displayName, region, account: account ?? deployed?.account ?? null, deployedAt: deployed?.readAt ?? null };
      });
      print({ json: json === true }, { organizations }, () =>
        table(
          ['organization', 'name', 'region', 'account', 'deployed'],
          organizations.map((one) => [one.name, one.displayName, one.region, one.account ?? '-', one.deployedAt ?? '-']),
        ),
      );
    });
}
