import type { Command } from 'commander';
import type { AuditEntry } from '../../protocol/messages/audit.ts';
import { table } from '../output.ts';
import { type ListOptions, printList, withListOptions } from '../print-list.ts';
import { withStack } from '../stack.ts';

/** Who did what at head office, newest first. */
export function addAuditCommand(program: Command): void {
  withListOptions(program.command('audit').description('who did what at head office, newest first'))
    .option('--month <yyyy-mm>', 'of this month (default: the present one)')
    .action(audit);
}

async function audit({ month, ...options }: ListOptions & { readonly month?: string }): Promise<void> {
  await withStack(options, ({ office }) =>
    printList(
      options,
      ({ after, limit }) =>
        office.call<'audit.list'>({
          op: 'audit.list',
          ...(after === undefined ? {} : { after }),
          ...(limit === undefined ? {} : { limit }),
          ...(month === undefined ? {} : { month }),
        }),
      {
        name: 'entries',
        text: (entries) =>
          table(
            ['at', 'who', 'role', 'what', 'of', 'reason', 'outcome', 'before', 'after'],
            entries.map(({ at, who, role, op, target, reason, outcome, change }) => [
              at,
              who,
              role,
              op,
              target ?? '-',
              reason ?? '-',
              outcome ?? 'cut off',
              short(change?.before),
              short(change?.after),
            ]),
          ),
      },
    ),
  );
}

/** Of a digest its first letters: enough to see that two are the same. */
function short(state: NonNullable<AuditEntry['change']>['before'] | undefined): string {
  const words = Object.entries(state ?? {}).map(
    ([name, value]) => `${name} ${String(value ?? '-').replace(/^([0-9a-f]{8})[0-9a-f]{56}$/, '$1…')}`,
  );
  return words.join(', ') || '-';
}
