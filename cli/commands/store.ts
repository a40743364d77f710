import type { Command } from 'commander';
import type { Edition } from '../../protocol/catalogue/types.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import { idSchema } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { print, table } from '../output.ts';
import { withStack } from '../stack.ts';

/** Stores: adding one gives the one-time code its agent enrols with. */
interface AddOptions {
  readonly edition: string;
  readonly zone?: string;
  readonly name?: string;
  readonly dir: string;
  readonly json?: boolean;
}

export function addStoreCommand(program: Command): void {
  const store = program.command('store').description('add and list stores');
  store
    .command('add <id>')
    .description('add a store; prints a one-time code for its agent, good for 24 hours')
    .option('--edition <edition>', EDITIONS.join(' or '), 'core')
    .option('--zone <zone>', 'zone the store belongs to')
    .option('--name <name>', 'name for people')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(addStore);
  store
    .command('list')
    .description('list stores with their replicas and certificates')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(async (options: { dir: string; json?: boolean }) => {
      const answer = await withStack(options.dir, ({ office }) => office.call({ op: 'store.list' }));
      print({ json: options.json === true }, answer, () =>
        table(
          ['store', 'edition', 'zone', 'replicas', 'certificates'],
          answer.stores.map((row) => [
            row.storeId,
            row.edition,
            row.zone ?? '-',
            String(row.replicas.length),
            String(row.certificates.length),
          ]),
        ),
      );
    });
}

async function addStore(storeId: string, options: AddOptions): Promise<void> {
  const edition = EDITIONS.find((known): known is Edition => known === options.edition);
  if (edition === undefined) throw new SyncError('INVALID_INPUT', `--edition is ${EDITIONS.join(' or ')}, not ${options.edition}`);
  for (const [what, value] of [
    ['the store id', storeId],
    ['--zone', options.zone],
  ] as const) {
    const parsed = idSchema.optional().safeParse(value);
    if (!parsed.success) throw new SyncError('INVALID_INPUT', `${what}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
  }
  const { zone, name } = options;
  const request = {
    op: 'store.add' as const,
    storeId,
    edition,
    ...(zone === undefined ? {} : { zone }),
    ...(name === undefined ? {} : { name }),
  };
  const answer = await withStack(options.dir, ({ office }) => office.call<'store.add'>(request));
  print(
    { json: options.json === true },
    answer,
    () =>
      `Store ${answer.storeId} added. One-time code for its agent, good until ${answer.expiresAt}:\n\n  ${answer.code}\n\nIt is shown only once.`,
  );
}
