import type { Command } from 'commander';
import type { Edition } from '../../protocol/catalogue/types.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import type * as z from 'zod';
import { describeSkew } from '../../protocol/clock-skew.ts';
import type { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { addIdentityCommands, checkId, codeText } from './store-identity.ts';
import { type ListOptions, printList, withListOptions } from '../print-list.ts';
import { withStack } from '../stack.ts';

/** Stores: adding one gives the one-time code its agent enrols with. */
interface AddOptions extends OfficeOptions {
  readonly edition: string;
  readonly zone?: string;
  readonly name?: string;
  readonly json?: boolean;
}

export function addStoreCommand(program: Command): void {
  const store = program.command('store').description('add, move and list stores');
  withOfficeOptions(store.command('add <id>'))
    .description('add a store; prints a one-time code for its agent, good for 24 hours')
    .option('--edition <edition>', EDITIONS.join(' or '), 'core')
    .option('--zone <zone>', 'zone the store belongs to')
    .option('--name <name>', 'name for people')
    .option('--json', 'as JSON')
    .action(addStore);
  withOfficeOptions(store.command('change <id>'))
    .description('move a store to another zone or edition; its agent follows at its next logon')
    .option('--zone <zone>', 'zone the store belongs to from now on')
    .option('--no-zone', 'the store belongs to no zone any more')
    .option('--edition <edition>', EDITIONS.join(' or '))
    .option('--json', 'as JSON')
    .action(changeStore);
  withOfficeOptions(store.command('show <id>'))
    .description('one store: its replicas, their keys and clocks, and since when they were not heard of')
    .option('--json', 'as JSON')
    .action(async (storeId: string, options: OfficeOptions & { json?: boolean }) => {
      checkId('the store id', storeId);
      const { store: shown } = await withStack(options, ({ office }) => office.call<'store.show'>({ op: 'store.show', storeId }));
      print({ json: options.json === true }, shown, () => describeStore(shown));
    });
  withOfficeOptions(store.command('changes <id>'))
    .description('when a store was moved, from where and to where')
    .option('--json', 'as JSON')
    .action(async (storeId: string, options: OfficeOptions & { json?: boolean }) => {
      checkId('the store id', storeId);
      const answer = await withStack(options, ({ office }) => office.call({ op: 'store.changes', storeId }));
      print({ json: options.json === true }, answer, () =>
        table(
          ['at', 'zone', 'edition'],
          answer.changes.map(({ at, from, to }) => [at, `${from.zone ?? '-'} -> ${to.zone ?? '-'}`, `${from.edition} -> ${to.edition}`]),
        ),
      );
    });
  addIdentityCommands(store);
  withListOptions(store.command('list').description('list stores with their replicas and certificates, by id')).action(listStores);
}

type Listed = z.infer<(typeof consoleResponseSchemas)['store.show']>['store'];
type ShownReplica = Listed['replicas'][number];

function clockText(clock: ShownReplica['clock']): string {
  return clock === null ? '-' : `${clock.isOff ? 'OFF ' : ''}${describeSkew(clock.skewMs)}`;
}

function describeStore({ storeId, name, edition, zone, createdAt, replicas, certificates, closed }: Listed): string {
  const lines = replicas.flatMap(({ replicaId, status, enrolledAt, heardAt, agentVersion, agent, keySince, clock, horizon }) => [
    '',
    `${replicaId}: ${status}, enrolled ${enrolledAt}`,
    `  last heard ${heardAt ?? 'never'}, agent ${agentVersion ?? '-'}${agent.isOther ? ` (should be ${agent.wanted ?? '-'})` : ''}, horizon ${horizon.percent} % ${horizon.level}`,
    `  its key is of ${keySince}; its clock: ${clockText(clock)}`,
    ...(clock?.isOff === true && status === 'ACTIVE' ? [`  ${clock.remedy ?? ''}`] : []),
  ]);
  const title = `Store ${storeId} (${name}), ${edition}, zone ${zone ?? '-'}, added ${createdAt}; ${certificates.length} certificates`;
  const end = closed === undefined ? [] : [`Closed ${closed.at}: ${closed.reason}`];
  return [title, ...end, ...lines].join('\n');
}

async function listStores(options: ListOptions): Promise<void> {
  await withStack(options, ({ office }) =>
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
            ['store', 'edition', 'zone', 'replicas', 'last heard', 'horizon', 'clock', 'certificates'],
            stores.map((row) => [
              row.storeId,
              row.edition,
              row.zone ?? '-',
              row.closed === undefined ? String(row.replicas.length) : 'closed',
              row.replicas.map(({ heardAt }) => heardAt ?? 'never').join(' '),
              row.replicas.map(({ horizon }) => `${horizon.percent} %${horizon.level === 'FINE' ? '' : ` ${horizon.level}`}`).join(' '),
              row.replicas.map(({ clock }) => clockText(clock)).join(', '),
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
  const answer = await withStack(options, ({ office }) => office.call<'store.add'>(request));
  print({ json: options.json === true }, answer, () => codeText(`Store ${answer.storeId} added.`, answer));
}

interface ChangeOptions extends OfficeOptions {
  /** false: `--no-zone`. */
  readonly zone?: string | boolean;
  readonly edition?: string;
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
  const answer = await withStack(options, ({ office }) => office.call<'store.change'>(request));
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
