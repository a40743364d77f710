import { SyncError } from './sync-error.ts';

/**
 * Sections: the one format of pages, chunks and segments.
 *
 * A text is a sequence of sections; a section is two lines: a header, and one JSON array holding a row per record.
 *   {"collection":"customer","columns":["mobile","email"],"rows":2}
 *   [["1001",1795422788501,"+4479…",null],["1002",1795422788502,null,"a@b"]]
 *   {"collection":"customer","tombstones":1}
 *   [["1003",1795422788503]]
 * A row is `[key, rev, …values]`; booleans travel as 0 and 1, nested JSON as text, so a row binds to SQL as it is.
 * `columns` names only the columns that have a value somewhere in the section: absent columns are null.
 * Arrays rather than objects, because they parse five times faster (measured; see the performance page).
 *
 * Holds INV-03: within a section keys are unique and in byte order.
 */
/** A value as it travels. */
export type WireValue = string | number | null;
export type PutRow = [key: string, rev: number, ...values: WireValue[]];
export type TombstoneRow = [key: string, rev: number];

export interface PutSection {
  readonly kind: 'puts';
  readonly collection: string;
  readonly columns: readonly string[];
  readonly rows: readonly PutRow[];
}
export interface TombstoneSection {
  readonly kind: 'tombstones';
  readonly collection: string;
  readonly rows: readonly TombstoneRow[];
}
export type Section = PutSection | TombstoneSection;

export function encodeSections(sections: readonly Section[]): string {
  let text = '';
  for (const section of sections) {
    const header =
      section.kind === 'puts'
        ? { collection: section.collection, columns: section.columns, rows: section.rows.length }
        : { collection: section.collection, tombstones: section.rows.length };
    text += `${JSON.stringify(header)}\n${JSON.stringify(section.rows)}\n`;
  }
  return text;
}

/** Throws `INTEGRITY` when the text is not sections; a text that passed its sha256 never does. */
export function decodeSections(text: string): Section[] {
  const sections: Section[] = [];
  let at = 0;
  while (at < text.length) {
    const headerEnd = text.indexOf('\n', at);
    const rowsEnd = headerEnd < 0 ? -1 : text.indexOf('\n', headerEnd + 1);
    if (rowsEnd < 0) throw new SyncError('INTEGRITY', `sections: cut off after ${at} characters`);
    sections.push(decodeSection(text.slice(at, headerEnd), text.slice(headerEnd + 1, rowsEnd)));
    at = rowsEnd + 1;
  }
  return sections;
}

function decodeSection(headerLine: string, rowsLine: string): Section {
  const header = parse(headerLine) as { collection?: unknown; columns?: unknown; rows?: unknown; tombstones?: unknown };
  const rows = parse(rowsLine);
  if (typeof header.collection !== 'string' || !Array.isArray(rows)) {
    throw new SyncError('INTEGRITY', 'sections: a header without collection, or rows that are no array');
  }
  const { collection } = header;
  if (header.tombstones === rows.length) return { kind: 'tombstones', collection, rows: rows as TombstoneRow[] };
  if (header.rows !== rows.length || !Array.isArray(header.columns)) {
    throw new SyncError('INTEGRITY', `sections: ${collection} does not hold the rows its header names`);
  }
  return { kind: 'puts', collection, columns: header.columns as string[], rows: rows as PutRow[] };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new SyncError('INTEGRITY', 'sections: a line is not JSON', { cause });
  }
}

/**
 * Leaves out the columns that no row has a value for. The same rows always give the same section,
 * so that the same content always has the same bytes.
 */
export function pruneColumns(collection: string, columns: readonly string[], rows: readonly PutRow[]): PutSection {
  const used = columns.map((_, index) => rows.some((row) => (row[index + 2] ?? null) !== null));
  if (used.every(Boolean)) return { kind: 'puts', collection, columns, rows };
  const kept = columns.flatMap((_, index) => (used[index] ? [index] : []));
  return {
    kind: 'puts',
    collection,
    columns: kept.map((index) => columns[index] as string),
    rows: rows.map((row) => [row[0], row[1], ...kept.map((index) => row[index + 2] ?? null)]),
  };
}
