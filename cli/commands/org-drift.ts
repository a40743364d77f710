import type { Command } from 'commander';
import { type TargetOptions, lookAtStack, targetOf, withTargetOptions } from '../deploy/targets.ts';
import { print, progressLine, table } from '../output.ts';

/** What somebody changed in AWS by hand. Ends with 1 when there is something. */
export function addOrgDriftCommand(org: Command): void {
  withTargetOptions(org.command('drift <org>'))
    .description('what is not as it was deployed; ends with 1 if there is something')
    .action(async (name: string, options: TargetOptions) => {
      const target = targetOf(name, options);
      const { account } = await lookAtStack(target, options);
      const line = progressLine();
      const drifted = await target.aws.drift(target.stackName, () => line.update(`AWS looks at every resource of ${target.stackName}`));
      line.done();
      const { organization, stackName } = target;
      print({ json: options.json === true }, { organization: organization.name, stack: stackName, account, drifted }, () =>
        drifted.length === 0
          ? `${stackName} is as it was deployed.`
          : `${table(
              ['resource', 'type', 'what', 'where', 'deployed', 'now'],
              drifted.flatMap(({ id, type, status, differences }) =>
                differences.length === 0
                  ? [[id, type, status]]
                  : differences.map(({ path, expected, actual }) => [id, type, status, path, expected, actual]),
              ),
            )}\n\n\`storeline org deploy\` sets right what differs only if the template changes there as well; see docs/operations/deploy.md.`,
      );
      if (drifted.length > 0) process.exitCode = 1;
    });
}
