import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Edition } from '../../protocol/catalogue/types.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import { idSchema } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { print, table } from '../output.ts';
import { type ListOptions, printList, withListOptions } from '../print-list.ts';
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
  const store = program.command('store').description('add, move and list stores');
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
    .command('change <id>')
    .description('move a store to another zone or edition; its agent follows at its next logon')
    .option('--zone <zone>', 'zone the store belongs to from now on')
    .option('--no-zone', 'the store belongs to no zone any more')
    .option('--edition <edition>', EDITIONS.join(' or '))
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(changeStore);
  store
    .command('changes <id>')
    .description('when a store was moved, from where and to where')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(async (storeId: string, options: { dir: string; json?: boolean }) => {
      checkId('the store id', storeId);
      const answer = await withStack(options.dir, ({ office }) => office.call({ op: 'store.changes', storeId }));
      print({ json: options.json === true }, answer, () =>
        table(
          ['at', 'zone', 'edition'],
          answer.changes.map(({ at, from, to }) => [at, `${from.zone ?? '-'} -> ${to.zone ?? '-'}`, `${from.edition} -> ${to.edition}`]),
        ),
      );
    });
  store
    .command('code <id>')
    .description('a new one-time code for a store that is there: another machine, or one whose key was lost')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(async (storeId: string, options: { dir: string; json?: boolean }) => {
      checkId('the store id', storeId);
      const request = { op: 'store.code' as const, storeId, by: userInfo().username };
      const answer = await withStack(options.dir, ({ office }) => office.call<'store.code'>(request));
      print({ json: options.json === true }, answer, () => codeText(`Store ${storeId}.`, answer));
    });
  store
    .command('revoke <id>')
    .description('refuse a store from the next request on, for good: a machine that was stolen, or a store that closes')
    .option('--replica <id>', 'only this replica of it; otherwise all')
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .requiredOption('--dir <folder>', 'folder of the local stack')
    .option('--json', 'as JSON')
    .action(revokeStore);
  withListOptions(store.command('list').description('list stores with their replicas and certificates, by id')).action(listStores);
}

async function listStores(options: ListOptions): Promise<void> {
  await withStack(options.dir, ({ office }) =>
    printList(
      options,
      async (request) => {
        const { stores: entries, next } = await office.call<'store.list'>({ op: 'store.list', ...request });
        return { entries, next };
      },
      {
        name: 'stores',
        text: (stores) =>
          table(
            ['store', 'edition', 'zone', 'replicas', 'last heard', 'horizon', 'certificates'],
            stores.map((row) => [
              row.storeId,
              row.edition,
              row.zone ?? '-',
              String(row.replicas.length),
              row.replicas.map(({ heardAt }) => heardAt ?? 'never').join(' '),
              row.replicas.map(({ horizon }) => `${horizon.percent} %${horizon.level === 'FINE' ? '' : ` ${horizon.level}`}`).join(' '),
              String(row.certificates.length),
            ]),
          ),
      },
    ),
  );
}

async function addStore(storeId: string, options: AddOptions): Promise<void> {
  const edition = editionOf(options.edition);
  checkId('the store id', storeId);
  checkId('--zone', options.zone);
  const { zone, name } = options;
  const request = {
    op: 'store.add' as const,
    storeId,
    edition,
    ...(zone === undefined ? {} : { zone }),
    ...(name === undefined ? {} : { name }),
  };
  const answer = await withStack(options.dir, ({ office }) => office.call<'store.add'>(request));
  print({ json: options.json === true }, answer, () => codeText(`Store ${answer.storeId} added.`, answer));
}

function codeText(what: string, { code, expiresAt }: { readonly code: string; readonly expiresAt: string }): string {
  return `${what} One-time code for its agent, good until ${expiresAt}:\n\n  ${code}\n\nIt is shown only once.`;
}

interface RevokeOptions {
  readonly replica?: string;
  readonly reason: string;
  readonly dir: string;
  readonly json?: boolean;
}

async function revokeStore(storeId: string, { replica, reason, dir, json }: RevokeOptions): Promise<void> {
  checkId('the store id', storeId);
  const request = {
    op: 'store.revoke' as const,
    storeId,
    reason,
    by: userInfo().username,
    ...(replica === undefined ? {} : { replicaId: replica }),
  };
  const answer = await withStack(dir, ({ office }) => office.call<'store.revoke'>(request));
  print({ json: json === true }, answer, () =>
    answer.revoked.length === 0
      ? `Store ${storeId} has no replica.`
      : `Revoked: ${answer.revoked.join(', ')}. What they had sent stays. \`storeline store code ${storeId}\` lets the store enrol again.`,
  );
}

interface ChangeOptions {
  /** false: `--no-zone`. */
  readonly zone?: string | boolean;
  readonly edition?: string;
  readonly dir: string;
  readonly json?: boolean;
}

async function changeStore(storeId: string, options: ChangeOptions): Promise<void> {
  const zone = options.zone === false ? null : typeof options.zone === 'string' ? options.zone : undefined;
  checkId('the store id', storeId);
  checkId('--zone', zone ?? undefined);
  if (zone === undefined && options.edition === undefined)
    throw new SyncError('INVALID_INPUT', 'say what is to change: --zone, --no-zone or --edition');
  const request = {
    op: 'store.change' as const,
    storeId,
    ...(zone === undefined ? {} : { zone }),
    ...(options.edition === undefined ? {} : { edition: editionOf(options.edition) }),
  };
  const answer = await withStack(options.dir, ({ office }) => office.call<'store.change'>(request));
  print({ json: options.json === true }, answer, () => {
    const { zone: now, edition } = answer.store;
    const state = `zone ${now ?? '-'}, edition ${edition}`;
    return answer.changed ? `Store ${storeId} changed: ${state}. Its agent follows at its next logon.` : `Nothing to change: ${state}.`;
  });
}

function editionOf(text: string): Edition {
  const edition = EDITIONS.find((known): known is Edition => known === text);
  if (edition === undefined) throw new SyncError('INVALID_INPUT', `--edition is ${EDITIONS.join(' or ')}, not ${text}`);
  return edition;
}

function checkId(what: string, value: string | undefined): void {
  const parsed = idSchema.optional().safeParse(value);
  if (!parsed.success) throw new SyncError('INVALID_INPUT', `${what}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
}
