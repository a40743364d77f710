import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MainRecord } from '../../core/ports/record-store.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { RebuildCounts, RebuildRequest } from '../../protocol/messages/rebuild.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice, WITHHELD } from '../../test/simulation/world/head-office.ts';
import { rebuildStep } from './rebuild.ts';

/** Associates move between the feeds of stores; what the stream lost is never delivered to anybody. */
interface Put {
  readonly kind: 'put' | 'forgotten-rev';
  readonly key: string;
  readonly store: string;
  readonly name: string;
}
type Edit = Put | ({ readonly kind: 'delete' } & Pick<Put, 'key'>) | ({ readonly kind: 'gone-by-hand' } & Pick<Put, 'key'>);
type From = Extract<RebuildRequest, { op: 'compare' }>['from'];

/** Twice without a new revision: the record is where it began when the first raise comes. */
const BACK_AND_FORTH: Edit[] = ['S1', 'S2'].map((store) => ({ kind: 'forgotten-rev', key: 'd', store, name: 'Ann' }));

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const stores = fc.constantFrom('S1', 'S2');
const names = fc.constantFrom('Ann', 'Bob', 'Cid');
const editArbitrary: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key: keys, store: stores, name: names }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forgotten-rev' as const), key: keys, store: stores, name: names }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keys }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone-by-hand' as const), key: keys }) },
);
const edits = fc.array(editArbitrary, { maxLength: 12 });

async function edit(head: HeadOffice, change: Edit): Promise<void> {
  head.now += 1_000;
  const current = head.records.records.get(`associate/${change.key}`);
  if (change.kind === 'delete') await head.write('associate', [], [change.key]);
  else if (change.kind === 'gone-by-hand') head.records.records.delete(`associate/${change.key}`);
  else if (change.kind === 'put')
    await head.write('associate', [{ associate_id: change.key, code: change.key, store_code: change.store, firstname: change.name }]);
  else if (current?.deleted === false)
    head.records.writeWithoutRev({
      ...current,
      scopes: [`store:${change.store}`],
      fields: { ...current.fields, store_code: change.store, firstname: change.name },
    });
}

/** As the command line does it. */
async function rebuild(head: HeadOffice, dryRun = false): Promise<RebuildCounts[]> {
  const settings = { withheld: new Set(WITHHELD) };
  const deps = { feeds: head.feeds, objects: head.objects, records: head.records, clock: head.clock, settings };
  const counts: RebuildCounts[] = [];
  for (const feed of head.feeds.feeds.keys()) {
    await head.compact(feed);
    let from: From = null;
    do {
      const step = (await rebuildStep(deps, { op: 'compare', feed, from, dryRun })) as RebuildCounts & { next: From };
      counts.push(step);
      from = step.next;
    } while (from !== null);
  }
  for (let bucket = 0; bucket < limits.recordBuckets; bucket += 1)
    counts.push(
      (await rebuildStep(deps, { op: 're-emit', collection: 'associate', bucket, after: null, since: 0, dryRun })) as RebuildCounts,
    );
  return counts;
}

function expected(head: HeadOffice, scope: string): string[] {
  const live = [...head.records.records.values()].filter((record: MainRecord) => !record.deleted && record.scopes.includes(scope as 'org'));
  return live.map(({ key, rev, fields }) => `associate/${key} ${rev} ${String(fields['firstname'])}`).sort();
}

async function told(head: HeadOffice, feed: FeedName): Promise<string[]> {
  const fold = await head.foldOf(feed, Number.MAX_SAFE_INTEGER);
  return [...fold].map(([id, text]) => {
    const [rev, fields] = JSON.parse(text) as [number, Record<string, string>];
    return `${id} ${rev} ${String(fields['firstname'])}`;
  });
}

test('INV-41: whatever the stream lost, after a rebuild every feed says what main data says', async () => {
  await fc.assert(
    fc.asyncProperty(edits, edits, edits, async (before, lost, later) => {
      const head = new HeadOffice(Faults.none(), { rowsTarget: 2, rowsMax: 4 });
      for (const change of before) await edit(head, change);
      await head.deliver(0, head.records.stream.length);
      for (const change of lost) await edit(head, change);
      head.now += limits.streamLagMs + 2 * limits.streamSkewMs;
      const taken = head.records.stream.length;
      await rebuild(head);
      for (const change of later.filter(({ kind }) => kind !== 'gone-by-hand')) await edit(head, change);
      // A revision that was forgotten is raised while the stream is read, and comes after.
      for (let at = taken; at < head.records.stream.length;) at = await head.deliver(at, head.records.stream.length);
      for (const store of ['S1', 'S2']) expect(await told(head, `Associates@store:${store}`)).toEqual(expected(head, `store:${store}`));
    }),
    {
      numRuns: 400,
      examples: [
        [[], [{ kind: 'put', key: 'd', store: 'S2', name: 'Ann' }], BACK_AND_FORTH],
        [[{ kind: 'put', key: 'd', store: 'S1', name: 'Ann' }], [], [...BACK_AND_FORTH.toReversed(), ...BACK_AND_FORTH.slice(1)]],
      ],
    },
  );
});

test('a dry run counts and changes nothing; the next run finds what it counted', async () => {
  const head = new HeadOffice(Faults.none(), { rowsTarget: 2, rowsMax: 4 });
  for (const key of ['a', 'b', 'c']) await edit(head, { kind: 'put', key, store: 'S1', name: 'Ann' });
  await head.deliver(0, 3);
  await edit(head, { kind: 'put', key: 'a', store: 'S2', name: 'Ann' });
  await edit(head, { kind: 'put', key: 'b', store: 'S1', name: 'Bob' });
  head.now += limits.streamLagMs + 2 * limits.streamSkewMs;
  const before = [head.records.stream.length, head.feeds.feeds.get('Associates@store:S1')?.head.position];
  const dry = await rebuild(head, true);
  expect([head.records.stream.length, head.feeds.feeds.get('Associates@store:S1')?.head.position]).toEqual(before);
  const sum = (all: RebuildCounts[], name: keyof RebuildCounts) => all.reduce((total, counts) => total + counts[name], 0);
  // One that is gone, one that is other; and three that a run without --since sends again.
  expect([sum(dry, 'removed'), sum(dry, 'raised')]).toEqual([1, 4]);
  expect(await rebuild(head)).toEqual(dry);
});

test('what changed a moment ago is left to the stream', async () => {
  const head = new HeadOffice(Faults.none(), { rowsTarget: 2, rowsMax: 4 });
  await edit(head, { kind: 'put', key: 'a', store: 'S1', name: 'Ann' });
  await head.deliver(0, 1);
  await edit(head, { kind: 'put', key: 'a', store: 'S2', name: 'Ann' });
  const counts = await rebuild(head, true);
  expect(counts[0]).toMatchObject({ looked: 1, raised: 0, removed: 0, onTheirWay: 1 });
});
