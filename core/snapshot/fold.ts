import type { PutRow, Section } from '../../protocol/sections.ts';

/**
 * The fold: the newest change per key. A snapshot is a fold, a replica is a fold, and folding again changes nothing.
 *
 * Rows are kept in the columns they came with; `alignRow` brings them to others. Holds INV-03.
 */
export interface FoldedRow {
  readonly key: string;
  readonly rev: number;
  /** null: a tombstone. */
  readonly columns: readonly string[] | null;
  /** The row as it travelled. */
  readonly row: PutRow | null;
}

export class Fold {
  readonly #collections = new Map<string, Map<string, FoldedRow>>();
  #rows = 0;

  /** Changes taken in so far, newer or not: what bounds memory. */
  get changes(): number {
    return this.#rows;
  }

  add(sections: readonly Section[]): void {
    for (const section of sections) {
      const rows = this.#collections.get(section.collection) ?? new Map<string, FoldedRow>();
      this.#collections.set(section.collection, rows);
      this.#rows += section.rows.length;
      for (const row of section.rows) {
        if (row[1] <= (rows.get(row[0])?.rev ?? 0)) continue;
        rows.set(
          row[0],
          section.kind === 'puts'
            ? { key: row[0], rev: row[1], columns: section.columns, row }
            : { key: row[0], rev: row[1], columns: null, row: null },
        );
      }
    }
  }

  collections(): string[] {
    return [...this.#collections.keys()];
  }

  /** Rows of a collection in key order. */
  rows(collection: string): FoldedRow[] {
    return [...(this.#collections.get(collection)?.values() ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/** Newest of two sorted, key-unique lists. On equal `rev` the first list stays: it is the same change. */
export function mergeRows(older: readonly FoldedRow[], newer: readonly FoldedRow[]): FoldedRow[] {
  const merged: FoldedRow[] = [];
  let left = 0;
  let right = 0;
  while (left < older.length || right < newer.length) {
    const a = older[left];
    const b = newer[right];
    if (b === undefined || (a !== undefined && a.key < b.key)) {
      merged.push(a as FoldedRow);
      left += 1;
    } else if (a === undefined || b.key < a.key) {
      merged.push(b);
      right += 1;
    } else {
      merged.push(b.rev > a.rev ? b : a);
      left += 1;
      right += 1;
    }
  }
  return merged;
}

/**
 * Brings rows to the order of `columns`; a column a row does not have is null. Made once for many rows, because the
 * rows of a section share one column list.
 */
export function rowAligner(columns: readonly string[]): (folded: FoldedRow) => PutRow {
  const indexes = new Map<readonly string[], readonly number[]>();
  return ({ row, columns: own }) => {
    if (row === null || own === null) throw new TypeError('a tombstone has no values');
    let at = indexes.get(own);
    if (at === undefined) {
      at = columns.map((name) => own.indexOf(name) + 2);
      indexes.set(own, at);
    }
    const aligned: PutRow = [row[0], row[1]];
    for (const index of at) aligned.push(index < 2 ? null : (row[index] ?? null));
    return aligned;
  };
}
