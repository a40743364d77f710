import type { Fields, FieldValue } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import type { Entry, EntryStatus } from './entry.ts';

/**
 * What a store's user sees: head office's row with the store's own operations over it that are not in that row yet.
 *
 * An operation is over the row while it waits, and after it was accepted until the row that has it is here, so that
 * nothing flickers between the receipt and the echo. It goes when the row has at least the receipt's `rev`, or when
 * the feed is complete past the receipt's time: then the record is out of this store's scope, or was changed or deleted
 * since. What head office refused was never true, so it is not shown.
 */
export interface ServerRow {
  readonly rev: number;
  /** null: a tombstone. */
  readonly fields: Fields | null;
}

export interface ServerState {
  /** null: the replica has neither row nor tombstone. */
  readonly row: ServerRow | null;
  /** Up to when the feed of this collection is complete, milliseconds; null: not known. */
  readonly completeUntil: number | null;
}

export interface RecordView {
  /** null: there is no such record. */
  readonly fields: Fields | null;
  /** Something of it is not in the replica's row yet. */
  readonly pending: boolean;
  /** Of the newest state of main data that is in it; 0: none. */
  readonly base: number;
}

/** The server's clock makes both times, but a transaction commits after the time its receipt names. */
const ECHO_GRACE_MS = 120_000;

const SHOWN: ReadonlySet<EntryStatus> = new Set<EntryStatus>([
  'PENDING',
  'SENDING',
  'UNCONFIRMED',
  'RETRY_WAIT',
  'HELD',
  'ACCEPTED',
  'ACCEPTED_EFFECTS_PENDING',
  'ACCEPTED_WITH_WARNINGS',
  'DUPLICATE',
  'MERGED',
]);

export function isOverRow({ status, receipt }: Pick<Entry, 'status' | 'receipt'>, { row, completeUntil }: ServerState): boolean {
  if (!SHOWN.has(status)) return false;
  if (receipt === null || status === 'HELD') return true;
  if (receipt.rev !== undefined && row !== null && row.rev >= receipt.rev) return false;
  return completeUntil === null || completeUntil <= Date.parse(receipt.at) + ECHO_GRACE_MS;
}

export interface OverlayInput {
  readonly collection: Collection;
  readonly server: ServerState;
  /** Of this record, in the order in which they were captured. */
  readonly entries: readonly Entry[];
}

export function overlay({ collection, server, entries }: OverlayInput): RecordView {
  const over = entries.filter((entry) => isOverRow(entry, server));
  let fields = server.row?.fields ?? null;
  for (const { operation, receipt } of over) {
    const refused = new Set(receipt?.attributes.map(({ field }) => field));
    if (operation.kind === 'delete') fields = null;
    else {
      const values = Object.entries(operation.fields).filter(([name]) => !refused.has(name));
      const merged = withValues(collection, fields ?? {}, values);
      // A change of a record that is not here yet: nobody can say what the record is.
      if (fields !== null || isWhole(collection, merged)) fields = merged;
    }
  }
  const revs = over.map(({ receipt }) => receipt?.rev ?? 0);
  return { fields, pending: over.length > 0, base: Math.max(server.row?.fields == null ? 0 : server.row.rev, 0, ...revs) };
}

function isWhole(collection: Collection, fields: Fields): boolean {
  return collection.fields.every(({ name, required }) => !required || fields[name] !== undefined);
}

/** In the catalogue's order, so that equal records are equal text. */
function withValues(collection: Collection, before: Fields, values: readonly (readonly [string, FieldValue | null])[]): Fields {
  const merged = new Map<string, FieldValue | null>([...Object.entries(before), ...values]);
  const named = collection.fields.map(({ name }) => name);
  const ordered = [...named.filter((name) => merged.has(name)), ...[...merged.keys()].filter((name) => !named.includes(name))];
  return Object.fromEntries(
    ordered.flatMap((name): [string, FieldValue][] => {
      const value = merged.get(name) ?? null;
      return value === null ? [] : [[name, value]];
    }),
  );
}
