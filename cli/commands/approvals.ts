import type { Command } from 'commander';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { type ListOptions, printList, withListOptions } from '../print-list.ts';
import { withStack } from '../stack.ts';

/** What waits for a second person's word. */
interface Options extends OfficeOptions {
  readonly json?: boolean;
}

export function addApprovalsCommand(program: Command): void {
  const approvals = program
    .command('approvals')
    .description('what reaches many stores and was asked for: list it, say yes or no. Sign in first (`storeline sign-in`)');
  withListOptions(approvals.command('list').description('erasures and rebuilds that were asked for, newest first')).action(list);
  withOfficeOptions(approvals.command('approve <id>'))
    .description('say yes to what somebody else asked for; good for 24 hours from when it was asked')
    .option('--json', 'as JSON')
    .action(async (undertakingId: string, options: Options) => {
      const request = { op: 'approvals.approve' as const, undertakingId };
      const { undertaking } = await withStack(options, ({ office }) => office.call<'approvals.approve'>(request));
      print({ json: options.json === true }, undertaking, () => `Approved. ${undertaking.askedBy.name} can carry it out.`);
    });
  withOfficeOptions(approvals.command('reject <id>'))
    .description('say no; who asked may take it back in this way too')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'as JSON')
    .action(async (undertakingId: string, options: Options & { readonly reason: string }) => {
      const request = { op: 'approvals.reject' as const, undertakingId, reason: options.reason };
      const { undertaking } = await withStack(options, ({ office }) => office.call<'approvals.reject'>(request));
      print({ json: options.json === true }, undertaking, () => 'Rejected. Nothing was changed.');
    });
}

async function list(options: ListOptions): Promise<void> {
  await withStack(options, ({ office }) =>
    printList(
      options,
      async (request) => {
        const { undertakings: entries, next } = await office.call<'approvals.list'>({ op: 'approvals.list', ...request });
        return { entries, next };
      },
      {
        name: 'undertakings',
        text: (undertakings) =>
          table(
            ['id', 'what', 'of', 'stores', 'state', 'asked by', 'at', 'reason', 'decided by'],
            undertakings.map((one) => [
              one.undertakingId,
              one.kind,
              // Of a customer only a digest is known here.
              one.kind === 'erase' ? `${one.subject.slice(0, 8)}…` : one.subject,
              String(one.stores),
              one.state,
              one.askedBy.name,
              one.askedAt,
              one.reason,
              one.decidedBy?.name ?? '-',
            ]),
          ),
      },
    ),
  );
}
