import { existsSync } from 'node:fs';
import type { WireValue } from '../protocol/sections.ts';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import type { Collection } from '../protocol/catalogue/types.ts';
import { fromWire } from '../protocol/catalogue/record.ts';
import { recordKey } from '../core/outbox/capture.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import { OutboxFile } from './outbox/outbox-file.ts';
import { StoreRecords, type Written } from './outbox/store-records.ts';
import { withStore } from './outbox/with-store.ts';
import { type Pinned, PinnedFile } from './pinned/pinned-file.ts';
import { readJson } from './read-json.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import { layoutOf } from './replica/table-layout.ts';

/** Reads the replica as it is. Works without a network and beside a running agent. */
export interface RecordsOptions {
  readonly data: string;
  readonly json?: boolean;
}

/** Records it in the outbox; it goes up with the next sync. Works without a network and beside a running agent. */
export function putRecordCommand(
  io: AgentIo,
  name: string,
  { record, ...options }: RecordsOptions & { readonly record: string },
): ExitCode {
  return writeCommand(io, options, (records) => records.put(name, readJson(record)));
}

export function deleteRecordCommand(
  io: AgentIo,
  where: { readonly collection: string; readonly key: string },
  options: RecordsOptions,
): ExitCode {
  return writeCommand(io, options, (records) => records.delete(where.collection, keyFrom(where.collection, where.key)));
}

/** A key as it is, or the record that it is of, as JSON or @file. */
function keyFrom(name: string, text: string): string {
  if (!/^[{@]/.test(text)) return text;
  const address = recordKey(collectionOf(name), readJson(text));
  if (address.outcome === 'key') return address.key;
  throw new SyncError('INVALID_INPUT', address.issues.map(({ field, reason }) => `${field} ${reason}`).join('; '));
}

function writeCommand(io: AgentIo, { data, json }: RecordsOptions, write: (records: StoreRecords) => Written): ExitCode {
  const written = withStore(io, data, ({ records }) => write(records));
  if (json === true) printJson(io, written);
  else
    io.stdout.write(
      written.opId === null ? 'Nothing was recorded: it is so already.\n' : `Recorded as ${written.seq}; it goes up with the next sync.\n`,
    );
  return exitCodes.fine;
}

export function getRecordCommand(
  io: AgentIo,
  where: { readonly collection: string; readonly key: string },
  { data, json }: RecordsOptions,
): ExitCode {
  const { collection: name, key } = where;
  const collection = collectionOf(name);
  return withReplica(data, (replica) => {
    const found = readRecord(io, { replica, collection, key }, data);
    if (found === null) return pinnedRecord(io, where, { data, json: json === true });
    const withheld = (replica?.planNote()?.withheld ?? []).flatMap((field) =>
      field.startsWith(`${name}.`) ? [field.slice(name.length + 1)] : [],
    );
    if (json === true)
      printJson(io, { collection: name, key, ...found, withheld, attributes: attributesOf(io, data, { collection, key }) });
    else {
      for (const [field, value] of Object.entries(found.fields)) io.stdout.write(`${field.padEnd(24)} ${String(value)}\n`);
      for (const field of withheld) io.stdout.write(`${field.padEnd(24)} (withheld: not shared with stores)\n`);
      if (found.pending) io.stdout.write('(with what was recorded here and is not at head office yet)\n');
    }
    return exitCodes.fine;
  });
}

function attributesOf(io: AgentIo, data: string, { collection, key }: { readonly collection: Collection; readonly key: string }) {
  return withStore(io, data, ({ records }) => records.attributes(collection.name, key));
}

interface Found {
  readonly rev: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly pending: boolean;
}

/** As the store's user sees it; null: there is none. */
function readRecord(
  io: AgentIo,
  { replica, collection, key }: { readonly replica: Replica | null; readonly collection: Collection; readonly key: string },
  data: string,
): Found | null {
  const { columns } = layoutOf(collection.name);
  const row = replica?.prepare(`SELECT * FROM "${collection.name}" WHERE "key" = ?`).get(key);
  const extra = row === undefined || row['extra'] === null ? {} : (JSON.parse(String(row['extra'])) as Record<string, unknown>);
  const rev = row?.['rev'] ?? null;
  const paths = dataPaths(data);
  if (!existsSync(paths.outbox)) {
    if (row === undefined) return null;
    const { fields } = fromWire(collection, key, { columns, values: columns.map((column) => row[column] as WireValue) });
    return { rev, fields: { ...fields, ...extra }, pending: false };
  }
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  try {
    const { fields, pending } = new StoreRecords({ replica, outbox, clock: io.clock, ids: io.ids }).read(collection.name, key);
    return fields === null ? null : { rev, fields: { ...fields, ...extra }, pending };
  } finally {
    outbox.close();
  }
}

/** A customer who was looked up is no record of the replica, and said to be none. */
function pinnedRecord(
  io: AgentIo,
  { collection, key }: { readonly collection: string; readonly key: string },
  { data, json }: { readonly data: string; readonly json: boolean },
): ExitCode {
  const path = dataPaths(data).pinned;
  const found = collection === 'customer' && existsSync(path) ? findPinned(path, key, io.clock.now()) : null;
  if (found === null) throw new SyncError('NOT_FOUND', `this replica has no ${collection} ${JSON.stringify(key)}`);
  const { customer: fields, expiresAt } = found.customer;
  if (json) printJson(io, { collection, key, rev: null, fields, withheld: [], pinned: { expiresAt } });
  else {
    for (const [field, value] of Object.entries(fields)) io.stdout.write(`${field.padEnd(24)} ${String(value)}\n`);
    io.stdout.write(`(looked up at head office, kept until ${expiresAt})\n`);
  }
  return exitCodes.fine;
}

function findPinned(path: string, key: string, now: number): Pinned | null {
  const file = PinnedFile.open(path, now);
  try {
    return file.find(key);
  } finally {
    file.close();
  }
}

export function countRecordsCommand(io: AgentIo, name: string, { data, json }: RecordsOptions): ExitCode {
  collectionOf(name);
  return withReplica(data, (replica) => {
    const count = replica?.countRows(name) ?? 0;
    if (json === true) printJson(io, { collection: name, count });
    else io.stdout.write(`${count}\n`);
    return exitCodes.fine;
  });
}

function withReplica<T>(data: string, run: (replica: Replica | null) => T): T {
  const db = openReadOnly(dataPaths(data).replica);
  const replica = db === null ? null : new Replica(db);
  try {
    return run(replica);
  } finally {
    replica?.close();
  }
}
