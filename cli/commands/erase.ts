import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { limits } from '../../protocol/limits.ts';
import type { HeadOffice } from '../head-office.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, progressLine, table } from '../output.ts';
import { type StackSession, waitUntilIdle, withStack } from '../stack.ts';
import { printWaiting, undertake } from '../undertaking.ts';

/**
 * A customer is erased everywhere: main data, feeds, snapshots, stores, quarantine. There is no way back. Stopped half-way, the same
 * command goes on from the beginning and finds what is left.
 */
interface Options extends OfficeOptions {
  readonly reason: string;
  readonly approval?: string;
  readonly json?: boolean;
}

type Status = Awaited<ReturnType<HeadOffice['erase']>>;

export function addEraseCommand(program: Command): void {
  const erase = program.command('erase').description('erase a customer everywhere, and see how far it is');
  withOfficeOptions(erase.command('customer <userId>'))
    .description('profile, identifiers, consents and tasks go; bills and points stay without the person. There is no way back')
    .requiredOption('--reason <text>', 'why; it is kept')
    .option('--approval <id>', 'carry out what was asked for and approved, or go on with what was interrupted')
    .option('--json', 'as JSON')
    .action(async (userId: string, options: Options) => {
      const { reason, approval } = options;
      const outcome = await withStack(options, (session) =>
        undertake(session.office, {
          approval,
          begin: () => session.office.call<'erase.begin'>({ op: 'erase.begin', userId, reason }),
          carryOut: (undertakingId) => eraseCustomer(session, undertakingId, { userId, reason }),
        }),
      );
      if ('waiting' in outcome) return printWaiting(options, outcome.waiting);
      const { result: answer } = outcome;
      print({ json: options.json === true }, answer, () =>
        [
          `${answer.deleted} records deleted, ${answer.stripped} kept without the person, ${answer.quarantined} taken out of the quarantine.`,
          describe(answer),
        ].join('\n'),
      );
    });
  withOfficeOptions(erase.command('status <userId>'))
    .description('what of an erasure is done, and which stores it has not reached yet')
    .option('--json', 'as JSON')
    .action(async (userId: string, options: Omit<Options, 'reason' | 'approval'>) => {
      const answer = await withStack(options, ({ office }) => office.erase<'status'>(null, { op: 'status', userId }));
      print({ json: options.json === true }, answer, () => describe(answer));
    });
  withOfficeOptions(program.command('sweep'))
    .description(
      'take away objects that no snapshot needs any more, and tombstones of erased customers that are due; runs once a day by itself',
    )
    .option('--json', 'as JSON')
    .action(async (options: Omit<Options, 'reason' | 'approval'>) => {
      const answer = await withStack(options, ({ office }) => office.erase<'sweep'>(null, { op: 'sweep' }));
      print(
        { json: options.json === true },
        answer,
        () =>
          `${answer.objects} objects and ${answer.snapshots} snapshots taken away; tombstones of ${answer.purged} erased customers purged.`,
      );
    });
}

async function eraseCustomer(session: StackSession, undertakingId: string, { userId, reason }: { userId: string; reason: string }) {
  const { office } = session;
  const request = { op: 'begin' as const, userId, reason, by: userInfo().username };
  const { collections, parents } = await office.erase<'begin'>(undertakingId, request);
  await waitUntilIdle(session);
  const counts = await eraseRecords(office, undertakingId, { userId, collections, parents });
  await waitUntilIdle(session);
  const { removed } = await office.erase<'quarantine'>(undertakingId, { op: 'quarantine', userId });
  const { feeds } = await office.erase<'begin'>(undertakingId, request);
  for (const { feed } of feeds) await office.erase<'forget'>(undertakingId, { op: 'forget', userId, feed });
  await office.erase<'finish'>(undertakingId, { op: 'finish', userId });
  return { ...counts, quarantined: removed, ...(await office.erase<'status'>(null, { op: 'status', userId })) };
}

async function eraseRecords(
  office: HeadOffice,
  undertakingId: string,
  { userId, ...begun }: { readonly userId: string; readonly collections: readonly string[]; readonly parents: readonly string[] },
): Promise<{ looked: number; deleted: number; stripped: number }> {
  const counts = { looked: 0, deleted: 0, stripped: 0 };
  const parents = new Set(begun.parents);
  const line = progressLine();
  for (const collection of begun.collections) {
    for (let bucket = 0; bucket < limits.recordBuckets; bucket += 1) {
      let after: string | null = null;
      do {
        const request = { op: 'records' as const, userId, collection, bucket, after, parents: [...parents] };
        const part: Awaited<ReturnType<typeof office.erase<'records'>>> = await office.erase<'records'>(undertakingId, request);
        counts.looked += part.looked;
        counts.deleted += part.deleted;
        counts.stripped += part.stripped;
        for (const parent of part.parents) parents.add(parent);
        after = part.next;
      } while (after !== null);
    }
    line.update(`looking through ${collection}: ${counts.looked} records, ${counts.deleted + counts.stripped} are of this customer`);
  }
  line.done();
  return counts;
}

function describe({ erasure, done, pending }: Extract<Status, { done: string[] }>): string {
  const lines = [
    `Erasure ${erasure.erasureId}, asked for at ${erasure.requestedAt} by ${erasure.by}: ${erasure.reason}`,
    erasure.forgottenAt === null ? 'Not done at head office yet: run the command again.' : `Done at head office at ${erasure.forgottenAt}.`,
  ];
  if (erasure.objectsGoneBy !== null) lines.push(`Old objects in the bucket are gone by ${erasure.objectsGoneBy}.`);
  if (erasure.purgeDueAt !== null) lines.push(`Keys stay in tombstones until ${erasure.purgeDueAt}.`);
  if (erasure.purgedAt !== null) lines.push(`Tombstones were purged at ${erasure.purgedAt}.`);
  lines.push(`${done.length} stores have done it, ${pending.length} have not.`);
  if (pending.length > 0)
    lines.push(
      table(
        ['store', 'replica', 'feeds'],
        pending.map(({ storeId, replicaId, feeds }) => [storeId, replicaId, feeds.join(', ')]),
      ),
    );
  return lines.join('\n');
}
