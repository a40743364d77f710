import type { Command } from 'commander';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { type ListOptions, printList } from '../print-list.ts';
import { waitUntilIdle, withStack } from '../stack.ts';

/** Feeds, snapshots, and what could not be processed. */
interface Options extends OfficeOptions {
  readonly json?: boolean;
}

export function addFeedsCommand(program: Command): void {
  withOfficeOptions(program.command('feeds'))
    .description('list feeds with their head and newest snapshot')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const answer = await withStack(options, ({ office }) => office.call({ op: 'feeds.list' }));
      print({ json: options.json === true }, answer, () =>
        table(
          ['feed', 'head', 'newest change', 'snapshot', 'rows', 'chunks', 'bytes'],
          answer.feeds.map(({ feed, position, asOf, snapshot }) => [
            feed,
            String(position),
            asOf ?? '-',
            snapshot === null ? '-' : String(snapshot.position),
            snapshot === null ? '-' : String(snapshot.rows),
            snapshot === null ? '-' : String(snapshot.chunks),
            snapshot === null ? '-' : String(snapshot.bytes),
          ]),
        ),
      );
    });
  withOfficeOptions(program.command('compact'))
    .description('bring snapshots up to date with what was written, and say which chunks were rewritten')
    .option('--feed <feed...>', 'only these feeds, for example Customer@org')
    .option('--json', 'as JSON')
    .action(async (options: Options & { feed?: string[] }) => {
      const answer = await withStack(options, async (session) => {
        await waitUntilIdle(session);
        return session.office.compact(options.feed);
      });
      print({ json: options.json === true }, answer, () =>
        table(
          ['feed', 'from', 'to', 'changes', 'rows', 'chunks', 'rewritten', 'bytes written'],
          answer.feeds.map((row) =>
            [row.feed, row.from, row.position, row.changes, row.rows, row.chunks, row.chunksWritten, row.bytesWritten].map(String),
          ),
        ),
      );
    });
}

/** What of main data's change stream no function could process; uploads have their own list. */
export async function listStreamQuarantine(options: ListOptions): Promise<void> {
  await withStack(options, ({ office }) =>
    printList(options, (request) => office.call<'quarantine.list'>({ op: 'quarantine.list', ...request }), {
      name: 'entries',
      text: (entries) =>
        entries.length === 0
          ? 'The quarantine is empty.'
          : table(
              ['at', 'source', 'reason'],
              entries.map((entry) => [entry.at, entry.source, entry.reason]),
            ),
    }),
  );
}
