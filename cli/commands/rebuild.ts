import type { Command } from 'commander';
import { components } from '../../protocol/catalogue/catalogue.ts';
import type { Component } from '../../protocol/catalogue/types.ts';
import { limits } from '../../protocol/limits.ts';
import type { RebuildCounts } from '../../protocol/messages/rebuild.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { HeadOffice } from '../head-office.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, progressLine, table } from '../output.ts';
import { type StackSession, waitUntilIdle, withStack } from '../stack.ts';
import { type Outcome, printWaiting, undertake } from '../undertaking.ts';

/**
 * Brings feeds to what main data says, after the stream was lost for longer than its 24 hours or whenever somebody
 * doubts them. May be stopped and started again at any point: what is right already is left alone.
 */
interface Options extends OfficeOptions {
  readonly since?: string;
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly approval?: string;
  readonly json?: boolean;
}

interface Part {
  readonly name: string;
  readonly counts: RebuildCounts;
}

export function addRebuildCommand(program: Command): void {
  withOfficeOptions(program.command('rebuild <component>'))
    .description('compare the feeds of a component with main data and mend what differs')
    .option('--since <instant>', 'send again what changed since then, for example 2026-11-20T08:00:00Z (default: all of it)')
    .option('--dry-run', 'only say what would be done')
    .option('--reason <text>', 'why; has to be said unless it is a dry run')
    .option('--approval <id>', 'carry out what was asked for and approved, or go on with what was interrupted')
    .option('--json', 'as JSON')
    .action(async (name: string, options: Options) => {
      const component = componentNamed(name);
      const since = instantOf(options.since);
      const dryRun = options.dryRun === true;
      const reason = reasonOf(options);
      const outcome = await withStack(options, async (session): Promise<Outcome<Part[]>> => {
        const carryOut = (undertakingId: string | null) => rebuildComponent(session, component, { since, undertakingId });
        if (reason === null) return { result: await carryOut(null) };
        const begin = () => session.office.call<'rebuild.begin'>({ op: 'rebuild.begin', component: component.name, reason });
        return undertake(session.office, { approval: options.approval, begin, carryOut });
      });
      if ('waiting' in outcome) return printWaiting(options, outcome.waiting);
      const { result: parts } = outcome;
      print({ json: options.json === true }, { component: component.name, dryRun, parts }, () =>
        [
          table(
            ['part', 'looked at', 'sent again', 'removed', 'on their way', 'unreadable'],
            parts.map(({ name: part, counts }) => [
              part,
              ...[counts.looked, counts.raised, counts.removed, counts.onTheirWay, counts.unreadable].map(String),
            ]),
          ),
          ...(parts.some(({ counts }) => counts.onTheirWay > 0)
            ? [`Some changed in the last ${limits.streamLagMs / 60_000} minutes and may still be on their way; look again after that.`]
            : []),
          ...(dryRun ? ['Nothing was changed.'] : []),
        ].join('\n\n'),
      );
    });
}

/** null: it only counts. */
function reasonOf({ dryRun = false, reason }: Options): string | null {
  if (dryRun) return null;
  if (reason === undefined) throw new SyncError('INVALID_INPUT', '--reason: say why; it stands in the audit. Or look first with --dry-run');
  return reason;
}

interface Extent {
  /** ms. */
  readonly since: number;
  /** null: it only counts. */
  readonly undertakingId: string | null;
}

async function rebuildComponent(session: StackSession, component: Component, extent: Extent): Promise<Part[]> {
  await waitUntilIdle(session);
  const compared = await compareFeeds(session.office, component, extent);
  const emitted = await reEmit(session.office, component, extent);
  await waitUntilIdle(session);
  return [...compared, ...emitted];
}

async function compareFeeds(office: HeadOffice, component: Component, { undertakingId }: Extent): Promise<Part[]> {
  const { feeds } = await office.call({ op: 'feeds.list' });
  const own = feeds.map(({ feed }) => feed).filter((feed) => feed.startsWith(`${component.name}@`));
  const line = progressLine();
  const parts: Part[] = [];
  for (const feed of own) {
    await office.compact([feed]);
    const counts = noCounts();
    let from: { collection: string; key: string } | null = null;
    do {
      const step: Awaited<ReturnType<typeof office.rebuild<'compare'>>> = await office.rebuild(undertakingId, {
        op: 'compare',
        feed,
        from,
        dryRun: undertakingId === null,
      });
      add(counts, step);
      from = step.next;
      line.update(`comparing ${feed}: ${counts.looked} rows`);
    } while (from !== null);
    parts.push({ name: feed, counts });
  }
  line.done();
  return parts;
}

async function reEmit(office: HeadOffice, component: Component, { since, undertakingId }: Extent): Promise<Part[]> {
  const line = progressLine();
  const parts: Part[] = [];
  for (const { name: collection } of component.collections) {
    const counts = noCounts();
    for (let bucket = 0; bucket < limits.recordBuckets; bucket += 1) {
      let after: string | null = null;
      do {
        const request = { op: 're-emit' as const, collection, bucket, after, since, dryRun: undertakingId === null };
        const step: Awaited<ReturnType<typeof office.rebuild<'re-emit'>>> = await office.rebuild(undertakingId, request);
        add(counts, step);
        after = step.next;
      } while (after !== null);
      line.update(
        `sending ${collection} again: ${counts.raised} of ${counts.looked} records, ${bucket + 1} of ${limits.recordBuckets} parts`,
      );
    }
    parts.push({ name: collection, counts });
  }
  line.done();
  return parts;
}

function noCounts(): RebuildCounts {
  return { looked: 0, raised: 0, removed: 0, onTheirWay: 0, unreadable: 0 };
}

function add(counts: RebuildCounts, step: RebuildCounts): void {
  counts.looked += step.looked;
  counts.raised += step.raised;
  counts.removed += step.removed;
  counts.onTheirWay += step.onTheirWay;
  counts.unreadable += step.unreadable;
}

function componentNamed(name: string): Component {
  const component = components.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (component === undefined)
    throw new SyncError('INVALID_INPUT', `there is no component "${name}"; they are: ${components.map((one) => one.name).join(', ')}`);
  return component;
}

function instantOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new SyncError('INVALID_INPUT', `--since ${text} is no instant; one looks like 2026-11-20T08:00:00Z`);
  return at;
}
