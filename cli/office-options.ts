import { type Command, Option } from 'commander';

/** Which head office a command talks to: the one on this machine in a folder, or that of an organization which is deployed. */
export interface OfficeOptions {
  readonly dir?: string;
  readonly org?: string;
  readonly profile?: string;
  readonly aws?: boolean;
}

export function withOfficeOptions(command: Command): Command {
  return withPlaceOptions(command)
    .option('--profile <name>', 'act as this AWS profile, with --org')
    .option('--aws', 'act by AWS credentials, whoever is signed in');
}

/** Where, and not as whom. */
export function withPlaceOptions(command: Command): Command {
  return command
    .option('--dir <folder>', 'folder of the local stack')
    .addOption(new Option('--org <name>', 'organization that is deployed in AWS').conflicts('dir'));
}
