import { strict as assert } from 'node:assert';
import { DatabaseSync } from 'node:sqlite';
import { collectionOf, valueFields } from '../../../protocol/catalogue/catalogue.ts';
import { type Cursor, type FeedName, splitFeedName } from '../../../protocol/feed.ts';
import type { Certificate } from '../../../protocol/messages/report.ts';
import type { WireValue } from '../../../protocol/sections.ts';
import type { FeedChecks } from './feed-checks.ts';
import { assertSame } from './feed-checks.ts';
import type { HeadOffice } from './head-office.ts';
import { liveText, ownerOf } from './ledger.ts';
import type { Random } from './random.ts';

/** What a replica file holds, read past the agent's own code. */
export interface HeldFeed {
  readonly cursor: Cursor | null;
  /** The agent's own count. */
  readonly counted: number;
  readonly rows: Map<string, string>;
}
export interface Held {
  readonly feeds: ReadonlyMap<FeedName, HeldFeed>;
  readonly certificates: readonly Certificate[];
}

/** What must be remembered of a replica between two looks at it. Goes with the file when an older copy comes back. */
export interface Remembered {
  readonly cursors: Map<FeedName, Cursor>;
  /** Feeds whose ranges are being replaced: what they hold is of two positions. */
  readonly mixed: Map<FeedName, Mixed>;
  /** Feeds in whose rows another program wrote: they are wrong until the agent finds out. */
  readonly spoiled: Set<FeedName>;
}

export interface Mixed {
  /** The generation the replica stands in; null: none yet. Only a reconcile that is over changes it. */
  readonly from: string | null;
  readonly to: Cursor;
}

/** Collections that histories write; every other table of the replica stays empty. */
export const WRITTEN = ['customer', 'fraud_user', 'coupon_series', 'associate', 'task_status_mapping', 'task_metadata'] as const;
const READS = WRITTEN.map((name) => {
  const collection = collectionOf(name);
  const columns = valueFields(collection)
    .map((field) => field.name)
    .toSorted();
  const sql = `SELECT "key", "rev", ${columns.map((column) => `"${column}"`).join(', ')} FROM "${name}"`;
  return { name, component: collection.component, columns, sql };
});

export function readHeld(path: string): Held {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const feeds = new Map<FeedName, HeldFeed>();
    for (const { feed, generation, position, rows } of db.prepare('SELECT feed, generation, position, rows FROM _feed').all()) {
      const cursor = position === null ? null : { generation: String(generation), position: Number(position) };
      feeds.set(feed as FeedName, { cursor, counted: Number(rows), rows: new Map() });
    }
    for (const { name, component, columns, sql } of READS) {
      const select = db.prepare(sql);
      select.setReturnArrays(true);
      for (const [key, rev, ...values] of select.all() as unknown as [string, number, ...WireValue[]][]) {
        const named = columns.map((column, index) => [column, values[index] ?? null] as const);
        const feed: FeedName = `${component}@${ownerOf(name, Object.fromEntries(named))}` as FeedName;
        const held = feeds.get(feed);
        assert(held !== undefined, `INV-40: ${name}/${key} of ${feed} is in a replica that does not have this feed`);
        held.rows.set(`${name}/${key}`, liveText(rev, named));
      }
    }
    const certificates = db.prepare('SELECT certificate FROM _certificate').all();
    return { feeds, certificates: certificates.map(({ certificate }) => JSON.parse(String(certificate)) as Certificate) };
  } finally {
    db.close();
  }
}

/** INV-05, INV-06, INV-09 for everything a replica holds. */
export function checkHeld(held: Held, before: Remembered, { office, checks }: { office: HeadOffice; checks: FeedChecks }): void {
  for (const feed of before.cursors.keys()) if (!held.feeds.has(feed)) before.cursors.delete(feed);
  for (const feed of before.mixed.keys()) if (!held.feeds.has(feed)) before.mixed.delete(feed);
  for (const feed of before.spoiled) if (!held.feeds.has(feed)) before.spoiled.delete(feed);
  for (const [feed, { cursor, counted, rows }] of held.feeds) {
    follow(feed, cursor, before);
    if (before.spoiled.has(feed)) continue;
    if (before.mixed.has(feed)) {
      for (const [id, text] of rows) assert(checks.wasOnce(feed, `${id} ${text}`), `INV-06: ${feed} never had ${id} like this`);
    } else if (cursor === null) {
      assert.equal(rows.size, 0, `INV-06: ${feed} has rows and no cursor`);
    } else {
      assertSame(rows, checks.ledger(feed, cursor.generation).at(cursor.position), `INV-06: ${feed} at ${cursor.position}`);
      assert.equal(counted, rows.size, `INV-06: the count of ${feed}`);
    }
  }
  for (const certificate of held.certificates) checkCertificate(certificate, held, { office, checks });
}

/** INV-05. */
function follow(feed: FeedName, cursor: Cursor | null, { cursors, mixed }: Remembered): void {
  const last = cursors.get(feed);
  if (cursor === null) {
    assert.equal(last, undefined, `INV-05: ${feed} lost its cursor`);
    return;
  }
  assert(cursor.generation !== last?.generation || cursor.position >= last.position, `INV-05: the cursor of ${feed} went back`);
  cursors.set(feed, cursor);
  const under = mixed.get(feed);
  if (under !== undefined && isOver(under, cursor)) mixed.delete(feed);
}

function isOver({ from, to }: Mixed, { generation, position }: Cursor): boolean {
  return generation !== from || (generation === to.generation && position >= to.position);
}

/** INV-09: what it says is head office's state at that position, and the replica is not behind it. */
function checkCertificate(certificate: Certificate, held: Held, { office, checks }: { office: HeadOffice; checks: FeedChecks }): void {
  const { feed, generation, position, rows, digest } = certificate;
  const cursor = held.feeds.get(feed)?.cursor;
  assert(cursor != null, `INV-09: a certificate for ${feed}, which the replica does not have`);
  assert(cursor.generation !== generation || cursor.position >= position, `INV-09: a certificate for ${feed} ahead of its cursor`);
  assert.equal(digest, office.feeds.feeds.get(feed)?.snapshots.get(`${generation}/${position}`)?.root, `INV-09: the digest for ${feed}`);
  assert.equal(rows, checks.ledger(feed, generation).at(position).size, `INV-09: rows in the certificate for ${feed}`);
}

/** INV-09 at the moment of issue: the replica stands at that position and holds that state. */
export function checkIssued(certificates: readonly Certificate[], held: Held, checks: FeedChecks): void {
  for (const { feed, generation, position } of certificates) {
    const own = held.feeds.get(feed);
    assert.deepEqual(own?.cursor, { generation, position }, `INV-09: a certificate for ${feed} at another position`);
    assertSame(own.rows, checks.ledger(feed, generation).at(position), `INV-09: a wrong certificate for ${feed}`);
  }
}

/** Another program removes a row of a replica, or changes its `rev`. The feed it was of; null: there was none. */
export function spoilRow(path: string, random: Random): FeedName | null {
  const db = new DatabaseSync(path);
  try {
    const { name, component } = random.of(READS);
    const row = random.of(db.prepare(`SELECT * FROM "${name}"`).all());
    if (row === undefined) return null;
    db.prepare(random.chance(0.5) ? `DELETE FROM "${name}" WHERE "key" = ?` : `UPDATE "${name}" SET "rev" = "rev" + 1 WHERE "key" = ?`).run(
      row['key'] ?? null,
    );
    return `${component}@${ownerOf(name, row as Record<string, WireValue>)}` as FeedName;
  } finally {
    db.close();
  }
}

/** INV-08, INV-24: whose feeds a store may read, said another way than the product says it. */
export function mayRead(feed: FeedName, store: { storeId: string; zone: string | null; edition: string }): boolean {
  const { component, scope } = splitFeedName(feed);
  const everywhere = ['Fraud Users List', 'Voucher Series', 'Customer', 'Custom Fields'];
  if (store.edition === 'core' && !everywhere.includes(component)) return false;
  return scope === 'org' || scope === `store:${store.storeId}` || (store.zone !== null && scope === `zone:${store.zone}`);
}
