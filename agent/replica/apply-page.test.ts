import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fold } from '../../core/snapshot/fold.ts';
import { type Section, encodeSections, readSections } from '../../protocol/sections.ts';
import { applyPage } from './apply-page.ts';
import { openLive } from './replica-file.ts';
import { Replica } from './replica.ts';

let folder: string;
let replica: Replica;
const feed = 'Customer@org';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'page-'));
  replica = new Replica(openLive(join(folder, 'replica.sqlite')));
});
afterEach(() => {
  replica.close();
  rmSync(folder, { recursive: true });
});

const read = (...list: readonly Section[]) => readSections(Buffer.from(encodeSections(list)));
/** One page as a replica gets it. */
const pageAt = (position: number, ...list: readonly Section[]) =>
  ({ feed, generation: 'g', after: position - 1, position, sections: read(...list), asOf: null }) as const;

function start(): void {
  replica.db.exec('DELETE FROM customer; DELETE FROM _tombstone; DELETE FROM _feed');
  replica.db.exec(
    `INSERT INTO _feed (feed, component, scope, head, head_generation, generation, position) VALUES ('${feed}', 'Customer', 'org', 0, 'g', 'g', 0)`,
  );
}

/** What the replica holds: keys with `rev` and values. */
function held(): unknown[] {
  return replica.db
    .prepare('SELECT key, rev, mobile, email, firstname, extra FROM customer ORDER BY key')
    .all()
    .map((row) => ({ ...row }));
}

function folded(pages: readonly (readonly Section[])[]): unknown[] {
  const fold = new Fold();
  for (const page of pages) fold.add(page);
  return fold.rows('customer').flatMap(({ key, rev, row, columns }) => {
    if (row === null || columns === null) return [];
    const value = (name: string) => (columns.includes(name) ? (row[columns.indexOf(name) + 2] ?? null) : null);
    const fresh = value('zz_new');
    return [
      {
        key,
        rev,
        mobile: value('mobile'),
        email: value('email'),
        firstname: value('firstname'),
        extra: fresh === null ? null : JSON.stringify({ zz_new: fresh }),
      },
    ];
  });
}

const change = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  rev: fc.integer({ min: 1, max: 9 }),
  values: fc.option(
    fc.tuple(fc.constantFrom('1', '2', null), fc.constantFrom('x', null), fc.constantFrom('n', 'm', null), fc.constantFrom('new', null)),
    { freq: 3 },
  ),
});

function sections(changes: readonly { key: string; rev: number; values: readonly (string | null)[] | null }[]): Section[] {
  const newest = new Map<string, (typeof changes)[number]>();
  for (const one of changes) if (one.rev > (newest.get(one.key)?.rev ?? 0)) newest.set(one.key, one);
  const sorted = [...newest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return [
    {
      kind: 'puts',
      collection: 'customer',
      columns: ['mobile', 'email', 'firstname', 'zz_new'],
      rows: sorted.flatMap(({ key, rev, values }) => (values === null ? [] : [[key, rev, ...values] as const])) as never,
    },
    {
      kind: 'tombstones',
      collection: 'customer',
      rows: sorted.flatMap(({ key, rev, values }) => (values === null ? [[key, rev] as [string, number]] : [])),
    },
  ];
}

/** Head office never gives one key and rev two contents; the generator makes content a function of both. */
const pagesArbitrary = fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 8 }).map((pages) => {
  const content = new Map<string, readonly (string | null)[] | null>();
  return pages.map((page) =>
    sections(
      page.map((one) => {
        const id = `${one.key}/${one.rev}`;
        if (!content.has(id)) content.set(id, one.values);
        return { ...one, values: content.get(id) ?? null };
      }),
    ),
  );
});

function apply(pages: readonly (readonly Section[])[], from = 0): void {
  for (const [index, page] of pages.entries()) applyPage(replica, pageAt(from + index + 1, ...page));
}

describe('applyPage', () => {
  it('INV-06: after every page the replica is the fold of the pages, and its row count is right', () => {
    fc.assert(
      fc.property(pagesArbitrary, (pages) => {
        start();
        for (const [index] of pages.entries()) {
          apply(pages.slice(index, index + 1), index);
          expect(held()).toEqual(folded(pages.slice(0, index + 1)));
        }
        expect(replica.feeds()[0]?.rows).toBe(folded(pages).length);
      }),
      { numRuns: 150 },
    );
  });

  it('INV-07: pages that repeat anything, in any order, change nothing and lower no rev', () => {
    fc.assert(
      fc.property(pagesArbitrary, fc.integer(), (pages, seed) => {
        start();
        apply(pages);
        const before = held();
        const repeated = pages.toSorted((a, b) => (JSON.stringify(a) + seed < JSON.stringify(b) + seed ? -1 : 1));
        apply(repeated, pages.length);
        expect(held()).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });

  it('INV-05: refuses a page that does not follow the cursor, and another generation', () => {
    start();
    expect(() => applyPage(replica, pageAt(2))).toThrow(/INV-05/);
    applyPage(replica, pageAt(1));
    expect(() => applyPage(replica, pageAt(1))).toThrow(/INV-05/);
    expect(() => applyPage(replica, { ...pageAt(2), generation: 'other' })).toThrow(/INV-05/);
    expect(replica.cursor(feed)).toEqual({ generation: 'g', position: 1 });
  });

  it('keeps a page out altogether when a part of it fails', () => {
    start();
    const [good] = sections([{ key: 'a', rev: 1, values: ['1', null, null, null] }]);
    const bad: Section = { kind: 'puts', collection: 'customer', columns: ['mobile'], rows: [['b', 1.5, 'x']] };
    expect(() => applyPage(replica, pageAt(1, good as Section, bad))).toThrow();
    expect(held()).toEqual([]);
    expect(replica.cursor(feed)?.position).toBe(0);
  });

  it('refuses a collection that belongs to another feed', () => {
    start();
    const stray: Section = { kind: 'puts', collection: 'store', columns: [], rows: [['s', 1]] };
    expect(() => applyPage(replica, pageAt(1, stray))).toThrow(/another feed/);
  });

  it('carries a collection it does not know, and says which feed it came from', () => {
    start();
    const unknown: Section = { kind: 'puts', collection: 'zz_things', columns: ['colour'], rows: [['1', 5, 'red']] };
    applyPage(replica, pageAt(1, unknown));
    expect(
      replica.db
        .prepare('SELECT key, rev, extra FROM zz_things')
        .all()
        .map((row) => ({ ...row })),
    ).toEqual([{ key: '1', rev: 5, extra: '{"colour":"red"}' }]);
    expect(replica.collectionsOf(feed)).toContain('zz_things');
    replica.leave(feed);
    expect(replica.countRows('zz_things')).toBe(0);
  });
});
