import { Command } from 'commander';
import { addApprovalsCommand } from './commands/approvals.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addComponentsCommand } from './commands/components.ts';
import { addCostCommand } from './commands/cost.ts';
import { addDataSyncDetailsCommand } from './commands/data-sync-details.ts';
import { addEraseCommand } from './commands/erase.ts';
import { addExceptionsCommand } from './commands/exceptions.ts';
import { addFeedsCommand } from './commands/feeds.ts';
import { addGenerateCommand } from './commands/generate.ts';
import { addImportCommand } from './commands/import.ts';
import { addLocalCommand } from './commands/local.ts';
import { addOrgCommand } from './commands/org.ts';
import { addRebuildCommand } from './commands/rebuild.ts';
import { addRecordsCommand } from './commands/records.ts';
import { addRolloutCommand } from './commands/rollout.ts';
import { addSignInCommands } from './commands/sign-in.ts';
import { addStoreCommand } from './commands/store.ts';
import { addSyncCommand } from './commands/sync.ts';
import { addWhoamiCommand } from './commands/whoami.ts';

/** `storeline`: the command line of central IT. */
export function createProgram(): Command {
  const program = new Command('storeline')
    .description('Keeps every store of a retail chain in step with head office.')
    .version('0.1.0')
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({ writeOut: (text) => process.stdout.write(text), writeErr: (text) => process.stderr.write(text) })
    .exitOverride();
  for (const add of [
    addOrgCommand,
    addLocalCommand,
    addSignInCommands,
    addWhoamiCommand,
    addComponentsCommand,
    addDataSyncDetailsCommand,
    addStoreCommand,
    addImportCommand,
    addGenerateCommand,
    addRecordsCommand,
    addFeedsCommand,
    addCostCommand,
    addExceptionsCommand,
    addRebuildCommand,
    addEraseCommand,
    addSyncCommand,
    addAuditCommand,
    addApprovalsCommand,
    addRolloutCommand,
  ]) {
    add(program);
  }
  return program;
}
