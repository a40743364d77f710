import { collectionOf, valueFields } from '../../protocol/catalogue/catalogue.ts';
import { toWire } from '../../protocol/catalogue/record.ts';
import type { Scope } from '../../protocol/feed.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { type FoldedRow, rowAligner } from '../snapshot/fold.ts';
import { type RouteSettings, withoutWithheld } from './route-change.ts';

/**
 * Whether a feed says of one key what main data says, and what makes it so when it does not.
 *
 * What is missing or other in the feed comes again by the stream: the record's `rev` is raised above both. What main
 * data has no more in this scope would never come by the stream, because no image says that it was here; the feed gets
 * a tombstone of its own. Its `rev` is above the row's and not above the record's, so a record that comes back wins
 * (INV-41).
 */
export type Comparison =
  | { readonly kind: 'equal' }
  /** The record changed so lately that the stream may still bring it. */
  | { readonly kind: 'on-its-way' }
  /** Of the record, for it to come again by the stream. */
  | { readonly kind: 'raise'; readonly to: number }
  /** A tombstone for the feed; `raise`: the record's, so that it is above the tombstone if it ever comes back. */
  | { readonly kind: 'remove'; readonly rev: number; readonly raise: number | null };

export interface CompareInput {
  readonly collection: string;
  readonly scope: Scope;
  readonly row: FoldedRow;
  /** Main data's; null: there is none of this key. */
  readonly record: MainRecord | null;
  readonly settings: RouteSettings;
  /** Milliseconds: what changed since may still be on its way. */
  readonly settledAt: number;
}

export function compareRecord(input: CompareInput): Comparison {
  const { row, record, scope, settledAt } = input;
  if (record === null) return row.row === null ? { kind: 'equal' } : { kind: 'remove', rev: row.rev + 1, raise: null };
  if (record.rev > row.rev && record.rev > settledAt) return { kind: 'on-its-way' };
  const raised = { kind: 'raise' as const, to: Math.max(row.rev, record.rev) + 1 };
  const expectsRow = !record.deleted && record.scopes.includes(scope);
  if (!expectsRow && row.row === null) return { kind: 'equal' };
  if (!record.scopes.includes(scope)) {
    const rev = Math.max(row.rev + 1, record.rev);
    return { kind: 'remove', rev, raise: rev > record.rev ? rev + 1 : null };
  }
  return expectsRow && row.row !== null && row.rev === record.rev && hasSameContent(input, record) ? { kind: 'equal' } : raised;
}

function hasSameContent({ collection: name, row, settings }: CompareInput, record: MainRecord): boolean {
  const collection = collectionOf(name);
  const expected = toWire(collection, withoutWithheld(collection, record.fields, settings));
  const actual = rowAligner(valueFields(collection).map((field) => field.name))(row);
  return expected.every((value, at) => value === actual[at + 2]);
}
