import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FeedStanding } from '../../core/reconcile/readiness.ts';
import { findCollection, collections as catalogue } from '../../protocol/catalogue/catalogue.ts';
import { kindOfScope, scopeKindOf } from '../../protocol/catalogue/scopes.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { type Cursor, type FeedName, splitFeedName } from '../../protocol/feed.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import { type StoreSettings, storeSettingsOf } from '../../protocol/store-settings.ts';
import type { Certificate } from '../../protocol/messages/report.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { tableNames } from './replica-schema.ts';
import { translateStorageError } from './sqlite-errors.ts';
import { createTableSql, layoutOf } from './table-layout.ts';

/**
 * What a replica knows about itself: where each feed stands, which certificates it has, what head office last said.
 *
 * Reads and single statements; what changes rows stands in its own file beside this one. Everything that belongs
 * together is one transaction, and a transaction never spans an await.
 */
export interface FeedRow extends FeedStanding {
  readonly component: ComponentName;
  readonly head: number;
  readonly asOf: string | null;
  /** It was right once and is not any more: found different, or its history was restarted at head office. */
  readonly resync: boolean;
  /** Live rows; counted at every reconcile, kept by every page. */
  readonly rows: number;
}

/** What `status` shows without head office. */
export type PlanNote = Pick<PlanResponse, 'store' | 'components' | 'scopes' | 'withheld' | 'serverTime'> &
  /** Absent in the note of an agent that did not know of them. */
  Partial<StoreSettings>;

export class Replica {
  readonly db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #tables: Set<string>;
  /** Kinds of scope that are not the catalogue's, as head office last said; null: to be read. */
  #kinds: PlanNote['scopes'] | null = null;

  constructor(db: DatabaseSync) {
    this.db = db;
    this.#tables = tableNames(db);
  }

  close(): void {
    this.db.close();
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  transaction<T>(run: () => T): T {
    try {
      this.db.exec('BEGIN IMMEDIATE');
      const result = run();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw translateStorageError(error);
    }
  }

  feeds(): FeedRow[] {
    const certificates = new Map(this.certificates().map((certificate) => [certificate.feed, certificate]));
    return this.prepare('SELECT feed, component, generation, position, head, head_generation, as_of, resync, rows FROM _feed ORDER BY feed')
      .all()
      .map((row) => {
        const feed = row['feed'] as FeedName;
        const certificate = certificates.get(feed);
        return {
          feed,
          component: row['component'] as ComponentName,
          cursor: row['position'] === null ? null : { generation: String(row['generation']), position: Number(row['position']) },
          certificate: certificate === undefined ? null : { generation: certificate.generation, position: certificate.position },
          head: Number(row['head']),
          asOf: row['as_of'] === null ? null : String(row['as_of']),
          generation: String(row['head_generation']),
          resync: row['resync'] === 1 || (row['position'] !== null && row['generation'] !== row['head_generation']),
          rows: Number(row['rows']),
        };
      });
  }

  cursor(feed: FeedName): Cursor | null {
    const row = this.prepare('SELECT generation, position FROM _feed WHERE feed = ?').get(feed);
    return row === undefined || row['position'] === null
      ? null
      : { generation: String(row['generation']), position: Number(row['position']) };
  }

  /** Nothing of any feed: a bulk load may replace the file. */
  isEmpty(): boolean {
    const held = [...this.#tables].filter((table) => !table.startsWith('_') && !table.startsWith('sqlite_'));
    return this.feeds().every((feed) => feed.cursor === null) && held.every((table) => !this.#has(table));
  }

  /** Keeps what head office said, and where every feed's head is. */
  recordPlan(plan: PlanResponse): void {
    this.transaction(() => {
      const { store, components, scopes, withheld, serverTime } = plan;
      this.setMeta(
        'plan',
        JSON.stringify({ store, components, scopes, withheld, serverTime, ...storeSettingsOf(plan) } satisfies PlanNote),
      );
      this.#kinds = null;
      const standings = new Map(this.feeds().map((row) => [row.feed, row]));
      const upsert = this.prepare(
        `INSERT INTO _feed (feed, component, scope, head, head_generation) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (feed) DO UPDATE SET head = excluded.head, head_generation = excluded.head_generation`,
      );
      for (const feedPlan of plan.feeds) {
        if (feedPlan.action === 'leave') continue;
        const { component, scope } = splitFeedName(feedPlan.feed);
        const standing = standings.get(feedPlan.feed);
        upsert.run(feedPlan.feed, component, scope, feedPlan.head, feedPlan.generation);
        const current = feedPlan.action === 'tail' && standing?.cursor?.position === feedPlan.head;
        if (current && feedPlan.asOf !== null && feedPlan.asOf !== standing?.asOf)
          this.prepare('UPDATE _feed SET as_of = ? WHERE feed = ?').run(feedPlan.asOf, feedPlan.feed);
      }
    });
  }

  /** After a reconcile. In the caller's transaction. */
  setCursor(feed: FeedName, { generation, position }: Cursor, state: { readonly rows: number; readonly asOf: string | null }): void {
    this.prepare('UPDATE _feed SET generation = ?, position = ?, rows = ?, resync = 0, as_of = NULL WHERE feed = ?').run(
      generation,
      position,
      state.rows,
      feed,
    );
    this.#setAsOf(feed, position, state.asOf);
  }

  /** After a page. In the caller's transaction. */
  advance(
    feed: FeedName,
    { position }: { readonly position: number },
    change: { readonly rowsMore: number; readonly asOf: string | null },
  ): void {
    this.prepare('UPDATE _feed SET position = ?, rows = rows + ? WHERE feed = ?').run(position, change.rowsMore, feed);
    this.#setAsOf(feed, position, change.asOf);
  }

  /** Only when the cursor is at the head is the replica complete up to that time. */
  #setAsOf(feed: FeedName, position: number, asOf: string | null): void {
    if (asOf !== null) this.prepare('UPDATE _feed SET as_of = ? WHERE feed = ? AND head = ?').run(asOf, feed, position);
  }

  certificates(): Certificate[] {
    return this.prepare('SELECT certificate FROM _certificate')
      .all()
      .map((row) => JSON.parse(String(row['certificate'])) as Certificate);
  }

  putCertificates(certificates: readonly Certificate[]): void {
    this.transaction(() => {
      for (const certificate of certificates) {
        this.prepare('INSERT OR REPLACE INTO _certificate (feed, certificate) VALUES (?, ?)').run(
          certificate.feed,
          JSON.stringify(certificate),
        );
      }
    });
  }

  /** Every feed has to be proved again. */
  dropCertificates(): void {
    this.transaction(() => this.db.exec('DELETE FROM _certificate'));
  }

  /** It was found different; one that was never right is not mended but still to be loaded. In the caller's transaction. */
  dropCertificate(feed: FeedName): void {
    const { changes } = this.prepare('DELETE FROM _certificate WHERE feed = ?').run(feed);
    if (changes > 0) this.prepare('UPDATE _feed SET resync = 1 WHERE feed = ?').run(feed);
  }

  /** Makes room for a collection, also one this agent does not know. */
  ensureTable(collection: string, feed: FeedName): void {
    const known = findCollection(collection) !== undefined;
    if (known && !this.collectionsOf(feed).includes(collection))
      throw new SyncError('INTEGRITY', `${feed} brings ${collection}, which belongs to another feed`);
    if (this.#tables.has(collection) && (known || this.#isCarried(collection))) return;
    layoutOf(collection);
    this.db.exec(createTableSql(collection));
    this.#tables.add(collection);
    if (!known) this.prepare('INSERT OR IGNORE INTO _carried (collection, feed) VALUES (?, ?)').run(collection, feed);
  }

  /** Collections that this feed alone fills (in an organization a collection has one kind of scope). */
  collectionsOf(feed: FeedName): string[] {
    const { component, scope } = splitFeedName(feed);
    const kind = kindOfScope(scope);
    this.#kinds ??= this.planNote()?.scopes ?? {};
    const changed = this.#kinds;
    const known = catalogue
      .filter((collection) => collection.component === component && (changed[collection.name] ?? scopeKindOf(collection.scope)) === kind)
      .map((collection) => collection.name);
    const carried = this.prepare('SELECT collection FROM _carried WHERE feed = ?')
      .all(feed)
      .map((row) => String(row['collection']));
    return [...known, ...carried.filter((name) => !known.includes(name))];
  }

  /** Those of them that hold rows or tombstones. */
  heldCollections(feed: FeedName): string[] {
    const tombstone = this.prepare('SELECT 1 FROM _tombstone WHERE collection = ? LIMIT 1');
    return this.collectionsOf(feed).filter((name) => this.#has(name) || tombstone.get(name) !== undefined);
  }

  countRows(collection: string): number {
    return this.#tables.has(collection) ? Number(this.prepare(`SELECT count(*) AS count FROM "${collection}"`).get()?.['count']) : 0;
  }

  isTableEmpty(collection: string): boolean {
    return !this.#has(collection);
  }

  /** In the caller's transaction. */
  clearCollection(collection: string): void {
    this.prepare(`DELETE FROM "${collection}"`).run();
    this.prepare('DELETE FROM _tombstone WHERE collection = ?').run(collection);
  }

  /**
   * Everything of a feed that is not this store's any more, at once (INV-40). The tables are another zone's when that
   * has a cursor: then nothing of this feed ever came into them, because the other would have been left before.
   */
  leave(feed: FeedName): void {
    this.transaction(() => {
      const own = this.#sharesTables(feed) ? [] : this.collectionsOf(feed);
      for (const collection of own) if (this.#tables.has(collection)) this.clearCollection(collection);
      this.dropCertificate(feed);
      this.prepare('DELETE FROM _feed WHERE feed = ?').run(feed);
    });
  }

  #sharesTables(feed: FeedName): boolean {
    const { component, scope } = splitFeedName(feed);
    const isTwin = (other: FeedName) =>
      other !== feed && splitFeedName(other).component === component && kindOfScope(splitFeedName(other).scope) === kindOfScope(scope);
    return this.cursor(feed) === null && this.feeds().some((row) => row.cursor !== null && isTwin(row.feed));
  }

  meta(name: string): string | null {
    const value = this.prepare('SELECT value FROM _meta WHERE name = ?').get(name)?.['value'];
    return value === undefined ? null : String(value);
  }

  setMeta(name: string, value: string): void {
    this.prepare('INSERT OR REPLACE INTO _meta (name, value) VALUES (?, ?)').run(name, value);
  }

  planNote(): PlanNote | null {
    const text = this.meta('plan');
    return text === null ? null : (JSON.parse(text) as PlanNote);
  }

  #has(table: string): boolean {
    return this.#tables.has(table) && this.prepare(`SELECT 1 FROM "${table}" LIMIT 1`).get() !== undefined;
  }

  #isCarried(collection: string): boolean {
    return this.prepare('SELECT 1 FROM _carried WHERE collection = ?').get(collection) !== undefined;
  }
}
