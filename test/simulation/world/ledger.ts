import { strict as assert } from 'node:assert';
import { unpack } from '../../../codec/pack.ts';
import type { FeedPage } from '../../../core/ports/feed-store.ts';
import { collectionOf } from '../../../protocol/catalogue/catalogue.ts';
import { type FeedName, splitFeedName } from '../../../protocol/feed.ts';
import { type Section, type WireValue, decodeSections } from '../../../protocol/sections.ts';
import { WITHHELD } from './head-office.ts';

/**
 * What the pages of one generation of a feed say, kept position by position: the state at any position without folding
 * again. Made without the product's fold, so that a wrong fold cannot agree with itself.
 */
export interface Version {
  readonly position: number;
  readonly rev: number;
  /** `rev` and values by name as text; null: a tombstone. */
  readonly live: string | null;
}

/** `collection/key` to `[rev, values by name]`: live rows only. */
export type State = ReadonlyMap<string, string>;

/** The field that says whose a record is, for the collections that histories write. */
const OWNER_FIELDS: Readonly<Record<string, string>> = { coupon_series: 'zone_code', associate: 'store_code', task_metadata: 'store_code' };

export class Ledger {
  readonly feed: FeedName;
  readonly #pages: FeedPage[] = [];
  readonly #changes: (readonly (readonly [id: string, version: Version])[])[] = [];
  readonly #rows = new Map<string, Version[]>();
  /** Every live row there ever was. */
  readonly known = new Set<string>();

  constructor(feed: FeedName) {
    this.feed = feed;
  }

  get position(): number {
    return this.#pages.length;
  }

  /** Takes in new pages. INV-01: numbered without a gap, and the ones before are what they were. */
  async follow(pages: readonly FeedPage[]): Promise<void> {
    for (const [index, page] of this.#pages.entries())
      assert.equal(pages[index], page, `INV-01: page ${index + 1} of ${this.feed} changed`);
    for (const page of pages.slice(this.#pages.length)) {
      assert.equal(page.position, this.#pages.length + 1, `INV-01: a gap in ${this.feed}`);
      const sections = decodeSections(await unpack(page.body, { rawBytesMax: 1 << 26 }));
      for (const section of sections) this.#checkScope(section);
      const changes = sections.flatMap((section) => versionsOf(section, page.position));
      for (const [id, version] of changes) {
        const versions = this.#rows.get(id) ?? [];
        this.#rows.set(id, versions);
        // INV-03: the highest `rev` counts, and of equals the first.
        if (version.rev > (versions.at(-1)?.rev ?? 0)) versions.push(version);
        if (version.live !== null) this.known.add(`${id} ${version.live}`);
      }
      this.#pages.push(page);
      this.#changes.push(changes);
    }
  }

  newest(id: string): Version | undefined {
    return this.#rows.get(id)?.at(-1);
  }

  at(position: number): State {
    const state = new Map<string, string>();
    for (const [id, versions] of this.#rows) {
      const live = versions.findLast((version) => version.position <= position)?.live ?? null;
      if (live !== null) state.set(id, live);
    }
    return state;
  }

  /** The fold of the pages `after`+1 … `through`, tombstones too. */
  between(after: number, through: number): Map<string, Version> {
    const fold = new Map<string, Version>();
    for (const [id, version] of this.#changes.slice(after, through).flat())
      if (version.rev > (fold.get(id)?.rev ?? 0)) fold.set(id, version);
    return fold;
  }

  /** INV-08, INV-24: only this feed's component and scope, and nothing withheld. */
  #checkScope(section: Section): void {
    const { component, scope } = splitFeedName(this.feed);
    const { collection } = section;
    assert.equal(collectionOf(collection).component, component, `INV-08: ${collection} in ${this.feed}`);
    if (section.kind === 'tombstones') return;
    for (const name of WITHHELD)
      assert(!section.columns.some((column) => `${collection}.${column}` === name), `INV-08: ${name} in ${this.feed}`);
    const owner = OWNER_FIELDS[collection];
    const column = owner === undefined ? -1 : section.columns.indexOf(owner);
    const expected = scope === 'org' ? undefined : scope.slice(scope.indexOf(':') + 1);
    for (const row of section.rows)
      assert.equal(column < 0 ? undefined : row[column + 2], expected, `INV-08: ${collection}/${row[0]} in ${this.feed}`);
  }
}

export function ownerOf(collection: string, values: Readonly<Record<string, WireValue>>): string {
  const field = OWNER_FIELDS[collection];
  if (field === undefined) return 'org';
  return `${field === 'zone_code' ? 'zone' : 'store'}:${String(values[field])}`;
}

export function versionsOf(section: Section, position: number): (readonly [id: string, version: Version])[] {
  if (section.kind === 'tombstones')
    return section.rows.map(([key, rev]) => [`${section.collection}/${key}`, { position, rev, live: null }] as const);
  const order = section.columns.map((name, index) => ({ name, index: index + 2 })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return section.rows.map((row) => {
    const values = order.map(({ name, index }) => [name, row[index] ?? null] as const);
    return [`${section.collection}/${row[0]}`, { position, rev: row[1], live: liveText(row[1], values) }] as const;
  });
}

/** Values in the order of their names; those that are null do not count. */
export function liveText(rev: number, values: readonly (readonly [name: string, value: WireValue])[]): string {
  return JSON.stringify([rev, Object.fromEntries(values.filter(([, value]) => value !== null))]);
}
