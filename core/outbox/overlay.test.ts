import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { CHAIN_START, type OperationValue, RECEIPT_STATUSES, type Receipt } from '../../protocol/operation.ts';
import { ENTRY_STATUSES, type Entry, type EntryStatus } from './entry.ts';
import { type ServerState, isOverRow, overlay } from './overlay.ts';

const collection = collectionOf('customer');
const AT = '2026-11-23T08:00:00Z';
const atMs = Date.parse(AT);

function entry(
  fields: Record<string, OperationValue>,
  more: { status?: EntryStatus; rev?: number; attributes?: Receipt['attributes'] } = {},
): Entry {
  const { status = 'PENDING', rev, attributes = [] } = more;
  const answered = (RECEIPT_STATUSES as readonly string[]).includes(status);
  const operation = {
    seq: 1,
    opId: 'o',
    collection: 'customer',
    key: 'c1',
    kind: 'put' as const,
    fields,
    base: 0,
    clock: 0,
    chain: CHAIN_START,
  };
  const receipt = { seq: 1, opId: 'o', status: status as Receipt['status'], attributes, at: AT, ...(rev === undefined ? {} : { rev }) };
  return { operation, status, attempts: 0, capturedAt: 0, receipt: answered ? receipt : null };
}
const row = (rev: number, fields: Record<string, string> | null): ServerState => ({ row: { rev, fields }, completeUntil: null });
const view = (server: ServerState, ...entries: Entry[]) => overlay({ collection, server, entries });

describe('overlay', () => {
  it('shows what the user wrote over the row, field by field, until the row has it', () => {
    const server = row(5, { user_id: 'c1', firstname: 'Ann', city: 'Bonn' });
    expect(view(server, entry({ firstname: 'Bea' }))).toEqual({
      fields: { user_id: 'c1', firstname: 'Bea', city: 'Bonn' },
      pending: true,
      base: 5,
    });
    const accepted = entry({ firstname: 'Bea' }, { status: 'ACCEPTED', rev: 9 });
    expect(view(server, accepted)).toMatchObject({ fields: { firstname: 'Bea' }, pending: true, base: 9 });
    expect(view(row(9, { user_id: 'c1', firstname: 'Bea' }), accepted)).toMatchObject({ pending: false, base: 9 });
  });

  it('shows no record of which only a part is known', () => {
    const nothing: ServerState = { row: null, completeUntil: null };
    expect(
      view(
        nothing,
        entry({ user_id: 'c1', firstname: 'Ann' }, { status: 'SUPERSEDED' }),
        entry({ city: 'Bonn' }, { status: 'ACCEPTED', rev: 9 }),
      ),
    ).toMatchObject({
      fields: null,
      pending: true,
    });
  });

  it('never shows an old value between the receipt and its echo', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 1, max: 60 }), (rev, rowRev) => {
        // The row is from before the operation, or it has the operation in it.
        const server = row(rowRev, { user_id: 'c1', firstname: rowRev < rev ? 'old' : 'new' });
        expect(view(server, entry({ firstname: 'new' }, { status: 'ACCEPTED', rev })).fields).toMatchObject({ firstname: 'new' });
      }),
    );
  });

  it('takes away, deletes, and makes what is not there', () => {
    const gone = { ...entry({}), operation: { ...entry({}).operation, kind: 'delete' as const } };
    expect(view(row(5, { user_id: 'c1', city: 'Bonn' }), entry({ city: null })).fields).toEqual({ user_id: 'c1' });
    expect(view(row(5, { user_id: 'c1' }), gone)).toMatchObject({ fields: null, pending: true });
    expect(view({ row: null, completeUntil: null }, entry({ firstname: 'Ann', user_id: 'c1' }))).toEqual({
      fields: { user_id: 'c1', firstname: 'Ann' },
      pending: true,
      base: 0,
    });
    expect(view(row(5, null))).toEqual({ fields: null, pending: false, base: 0 });
  });

  it('goes when the feed is complete past the receipt: the record is out of scope, or was changed since', () => {
    const accepted = entry({ firstname: 'Bea' }, { status: 'ACCEPTED', rev: 9 });
    const at = (ms: number): ServerState => ({ row: null, completeUntil: atMs + ms });
    expect(isOverRow(accepted, at(60_000))).toBe(true);
    expect(isOverRow(accepted, at(120_001))).toBe(false);
    // A tombstone that has it counts like a row.
    expect(isOverRow(accepted, row(9, null))).toBe(false);
    // What waits is never overtaken by time.
    for (const status of ['PENDING', 'SENDING', 'UNCONFIRMED', 'RETRY_WAIT', 'HELD'] as const)
      expect(isOverRow(entry({}, { status }), at(1e12))).toBe(true);
  });

  it('shows nothing of what head office refused, as a whole or of its fields', () => {
    for (const status of ['CONFLICT', 'REJECTED', 'QUARANTINED', 'SUPERSEDED', 'DISCARDED', 'CORRECTED'] as const)
      expect(view(row(5, { user_id: 'c1', firstname: 'Ann' }), entry({ firstname: 'Bea' }, { status }))).toMatchObject({
        fields: { firstname: 'Ann' },
        pending: false,
      });
    const attributes = [{ field: 'city', status: 'CLOUD_OVERRIDDEN' as const, reason: 'later' }];
    const merged = entry({ firstname: 'Bea', city: 'Ulm' }, { status: 'MERGED', rev: 9, attributes });
    expect(view(row(5, { user_id: 'c1', city: 'Bonn' }), merged).fields).toEqual({ user_id: 'c1', firstname: 'Bea', city: 'Bonn' });
  });

  it('every status is judged', () => {
    for (const status of ENTRY_STATUSES) expect(typeof isOverRow(entry({}, { status }), row(1, null))).toBe('boolean');
  });
});
