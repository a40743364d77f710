import { createHash } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { OwnRange } from '../../core/reconcile/plan-ranges.ts';
import { agentLimits } from '../agent-limits.ts';
import { rangeSql, rangeValues } from './table-layout.ts';

/**
 * Range digests inside SQL: sha256 over `key rev\n` of a key range, the same text as `digestText`.
 *
 * SQLite builds the text in slices of the primary key's order, so nothing is sorted, no row becomes a JavaScript
 * object, and memory stays bounded whatever the range. Reads `key, rev` only: it does not see a value that was changed
 * without its `rev`; `content.ts` does.
 */
export interface KeyRange {
  readonly collection: string;
  readonly from: string;
  readonly to: string | null;
}

export function digestSql(collection: string, to: string | null, after: boolean): string {
  const low = after ? rangeSql(to).replace('>=', '>') : rangeSql(to);
  return `SELECT count(*) AS rows, max("key") AS last, CAST(group_concat("key" || ' ' || "rev" || char(10), '') AS BLOB) AS text
    FROM (SELECT "key", "rev" FROM "${collection}" WHERE ${low} ORDER BY "key" LIMIT ?)`;
}

/** Keeps its statements: thousands of ranges share a few. */
export class RangeDigests {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  of({ collection, from, to }: KeyRange): OwnRange {
    const hash = createHash('sha256');
    const slice = agentLimits.digestSliceRows;
    let rows = 0;
    let low = from;
    for (let after = false; ; after = true) {
      const row = this.#statement(digestSql(collection, to, after)).get(...rangeValues(low, to), slice);
      const count = Number(row?.['rows']);
      if (count > 0) hash.update(row?.['text'] as Uint8Array);
      rows += count;
      if (count < slice) break;
      low = String(row?.['last']);
    }
    return { rows, digest: hash.digest('hex'), tombstones: this.#tombstones({ collection, from, to }) };
  }

  #tombstones({ collection, from, to }: KeyRange): number {
    const row = this.#statement(`SELECT count(*) AS count FROM _tombstone WHERE collection = ? AND ${rangeSql(to)}`).get(
      collection,
      ...rangeValues(from, to),
    );
    return Number(row?.['count']);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
