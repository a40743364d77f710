import type { Command } from 'commander';
import { addOrgCreateCommand } from './org-create.ts';
import { addOrgDeployCommand } from './org-deploy.ts';
import { addOrgDestroyCommand } from './org-destroy.ts';
import { addOrgDriftCommand } from './org-drift.ts';
import { addOrgListCommand } from './org-list.ts';
import { addOrgOutputsCommand } from './org-outputs.ts';
import { addOrgPlanCommand } from './org-plan.ts';
import { addOrgValidateCommand } from './org-validate.ts';

/** Organizations: their settings, and their stacks in AWS. One file and one stack each; they share nothing. */
export function addOrgCommand(program: Command): void {
  const org = program
    .command('org')
    .description('settings and stacks of organizations')
    .addHelpText('after', '\nRunbook: docs/operations/deploy.md');
  for (const add of [
    addOrgCreateCommand,
    addOrgListCommand,
    addOrgValidateCommand,
    addOrgPlanCommand,
    addOrgDeployCommand,
    addOrgOutputsCommand,
    addOrgDriftCommand,
    addOrgDestroyCommand,
  ])
    add(org);
}
