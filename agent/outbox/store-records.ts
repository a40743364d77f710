import type { AttributeStatus } from '../../protocol/sync-details/statuses.ts';
import { attributeStatuses } from '../../core/outbox/attribute-status.ts';
import { type Captured, captureDelete, capturePut, recordKey, writableCollection } from '../../core/outbox/capture.ts';
import type { EntryStatus } from '../../core/outbox/entry.ts';
import { offlineRefusal } from '../../core/outbox/offline-redemption.ts';
import { isPastTarget } from '../../core/runs/standing.ts';
import { type RecordView, type ServerState, overlay } from '../../core/outbox/overlay.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, type Issue, fromWire } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { isRedemption } from '../../protocol/messages/redeem.ts';
import { NO_OFFLINE_REDEMPTION } from '../../protocol/offline-redemption.ts';
import type { WireValue } from '../../protocol/sections.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Replica } from '../replica/replica.ts';
import { layoutOf } from '../replica/table-layout.ts';
import type { NewOperation, OutboxFile } from './outbox-file.ts';

/**
 * Records as the store's user sees and writes them, with or without a network: head office's rows with the store's own
 * operations over them. A write is checked by the catalogue and is durable when it returns.
 */
export interface StoreRecordsDeps {
  /** null: nothing was loaded yet. */
  readonly replica: Replica | null;
  readonly outbox: OutboxFile;
  readonly clock: Clock;
  readonly ids: Ids;
}

export interface Written {
  /** null: it was so already. */
  readonly opId: string | null;
  readonly seq: number | null;
  readonly key: string;
  readonly status: EntryStatus | 'UNCHANGED';
}

export class StoreRecords {
  readonly #deps: StoreRecordsDeps;

  constructor(deps: StoreRecordsDeps) {
    this.#deps = deps;
  }

  /** What the user sees of a record. */
  read(collection: string, key: string): RecordView {
    const { outbox } = this.#deps;
    return overlay({
      collection: collectionOf(collection),
      server: this.#server(collectionOf(collection), key),
      entries: outbox.entriesOf(collection, key),
    });
  }

  /** Where each of its attributes stands. */
  attributes(name: string, key: string): Record<string, AttributeStatus> {
    const { replica, outbox, clock } = this.#deps;
    const askedAt = replica?.planNote()?.serverTime;
    const collection = collectionOf(name);
    const withheld = this.#terms().withheld.flatMap((field) => (field.startsWith(`${name}.`) ? [field.slice(name.length + 1)] : []));
    return attributeStatuses({
      collection,
      server: this.#server(collection, key),
      entries: outbox.entriesOf(name, key),
      withheld: new Set(withheld),
      isStale: askedAt === undefined || isPastTarget(collection.component, clock.now() - Date.parse(askedAt)),
    });
  }

  /** `hasHappened`: it was redeemed long ago, so nobody can be asked to wait for head office. */
  put(name: string, record: unknown, { hasHappened = false }: { readonly hasHappened?: boolean } = {}): Written {
    const collection = this.#writable(name);
    const address = recordKey(collection, record);
    if (address.outcome === 'refused') throw refusal(address);
    const terms = this.#terms();
    return this.#write(collection, address.key, (seen) => {
      const captured = capturePut({ collection, record: record as Readonly<Record<string, unknown>>, seen, terms });
      if (captured.outcome === 'write' && !hasHappened) this.#requireOfflineRedemption(name, captured.fields);
      return captured;
    });
  }

  delete(name: string, key: string): Written {
    const collection = this.#writable(name);
    return this.#write(collection, key, (seen) => captureDelete(collection, key, seen));
  }

  #write(collection: Collection, key: string, capture: (seen: RecordView) => Captured): Written {
    const { outbox, clock, ids } = this.#deps;
    const server = this.#server(collection, key);
    const operation = outbox.record({ collection: collection.name, key }, { now: clock.now(), opId: ids.next() }, (entries) => {
      const captured = capture(overlay({ collection, server, entries }));
      if (captured.outcome === 'refused') throw refusal(captured);
      if (captured.outcome === 'unchanged') return null;
      const { kind, fields, base } = captured;
      return { collection: collection.name, key, kind, fields, base };
    });
    return operation === null
      ? { opId: null, seq: null, key, status: 'UNCHANGED' }
      : { opId: operation.opId, seq: operation.seq, key, status: 'PENDING' };
  }

  /** In the transaction that records it, so that two tills cannot each be the last below a ceiling. */
  #requireOfflineRedemption(collection: string, fields: NewOperation['fields']): void {
    if (!isRedemption(collection)) return;
    const allowed = this.#deps.replica?.planNote()?.offlineRedemption ?? NO_OFFLINE_REDEMPTION;
    const undecided = this.#deps.outbox.undecided(collection);
    const reason = offlineRefusal({ collection, fields, allowed, undecided, series: this.#seriesOf(fields['coupon_id']) });
    if (reason !== null) throw new SyncError('REDEMPTION_NEEDS_HEAD_OFFICE', reason);
  }

  #seriesOf(coupon: NewOperation['fields'][string] | undefined): Fields | null {
    if (typeof coupon !== 'string') return null;
    const series = this.#server(collectionOf('coupon'), coupon).row?.fields?.['series_id'];
    return series === undefined ? null : (this.#server(collectionOf('coupon_series'), String(series)).row?.fields ?? null);
  }

  #writable(name: string): Collection {
    const writable = writableCollection(name, this.#terms());
    if (writable.outcome === 'refused') throw refusal(writable);
    return writable.collection;
  }

  #terms() {
    const note = this.#deps.replica?.planNote() ?? null;
    return { edition: note?.store.edition ?? null, withheld: note?.withheld ?? [] };
  }

  #server(collection: Collection, key: string): ServerState {
    const { replica } = this.#deps;
    if (replica === null) return { row: null, completeUntil: null };
    const { columns } = layoutOf(collection.name);
    const row = replica.prepare(`SELECT * FROM "${collection.name}" WHERE "key" = ?`).get(key);
    const completeUntil = completeUntilOf(replica, collection.name);
    if (row === undefined) {
      const tombstone = replica.prepare('SELECT rev FROM _tombstone WHERE collection = ? AND key = ?').get(collection.name, key);
      return { row: tombstone === undefined ? null : { rev: Number(tombstone['rev']), fields: null }, completeUntil };
    }
    const { fields } = fromWire(collection, key, { columns, values: columns.map((column) => row[column] as WireValue) });
    return { row: { rev: Number(row['rev']), fields }, completeUntil };
  }
}

/** When head office last said that this store has everything of the collection's feed. */
function completeUntilOf(replica: Replica, collection: string): number | null {
  const note = replica.planNote();
  const feed = replica.feeds().find((row) => replica.collectionsOf(row.feed).includes(collection));
  if (note === null || feed?.cursor == null || feed.cursor.position < feed.head) return null;
  return Date.parse(note.serverTime);
}

function refusal({
  code,
  issues,
}: {
  readonly code: ConstructorParameters<typeof SyncError>[0];
  readonly issues: readonly Issue[];
}): SyncError {
  return new SyncError(code, issues.map(({ field, reason }) => `${field} ${reason}`).join('; '), { details: { issues } });
}
