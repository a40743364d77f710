import { collectionOf, collections, valueFields } from '../../protocol/catalogue/catalogue.ts';
import { toWire } from '../../protocol/catalogue/record.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type PutRow, type Section, type TombstoneRow, pruneColumns } from '../../protocol/sections.ts';
import type { FeedChange } from './route-change.ts';

/**
 * Changes of one batch, feed by feed, cut into pages of bounded size.
 *
 * Within a page a key stands once, with its highest `rev`, so a page folds to the same state as the changes it came
 * from (INV-03). A page may repeat what an earlier one said; replicas and folds take only what is newer.
 */
export interface PageLimits {
  readonly rowsMax: number;
  readonly rawBytesMax: number;
}

/** Changes per feed in stream order, each group small enough for one page before packing. */
export function groupForPages(changes: readonly FeedChange[], limits: PageLimits): Map<FeedName, FeedChange[][]> {
  const groups = new Map<FeedName, { pages: FeedChange[][]; bytes: number }>();
  for (const change of changes) {
    const size = sizeOf(change);
    const group = groups.get(change.feed) ?? { pages: [[]], bytes: 0 };
    groups.set(change.feed, group);
    let page = group.pages.at(-1) ?? [];
    if (page.length > 0 && (page.length >= limits.rowsMax || group.bytes + size > limits.rawBytesMax)) {
      page = [];
      group.pages.push(page);
      group.bytes = 0;
    }
    page.push(change);
    group.bytes += size;
  }
  return new Map([...groups].map(([feed, group]) => [feed, group.pages]));
}

/** One page's sections: puts, then tombstones, collection by collection in catalogue order, keys in byte order. */
export function pageSections(changes: readonly FeedChange[]): Section[] {
  const newest = new Map<string, Map<string, FeedChange>>();
  for (const change of changes) {
    const keys = newest.get(change.collection) ?? new Map<string, FeedChange>();
    newest.set(change.collection, keys);
    if (change.rev >= (keys.get(change.key)?.rev ?? 0)) keys.set(change.key, change);
  }
  return collections.flatMap(({ name }) => {
    const keys = newest.get(name);
    return keys === undefined ? [] : sectionsOf(name, [...keys.values()].sort(byKey));
  });
}

function sectionsOf(name: string, changes: readonly FeedChange[]): Section[] {
  const collection = collectionOf(name);
  const columns = valueFields(collection).map((field) => field.name);
  const puts: PutRow[] = [];
  const tombstones: TombstoneRow[] = [];
  for (const { key, rev, fields } of changes) {
    if (fields === null) tombstones.push([key, rev]);
    else puts.push([key, rev, ...toWire(collection, fields)]);
  }
  const sections: Section[] = [];
  if (puts.length > 0) sections.push(pruneColumns(name, columns, puts));
  if (tombstones.length > 0) sections.push({ kind: 'tombstones', collection: name, rows: tombstones });
  return sections;
}

/** Keys are printable ASCII, so this is also SQLite's and every other byte order. */
export function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/** Close enough to cut pages by: the true size is known only when the page is packed. */
function sizeOf(change: FeedChange): number {
  let size = change.key.length + 20;
  for (const value of Object.values(change.fields ?? {})) size += typeof value === 'string' ? value.length + 3 : 8;
  return size;
}
