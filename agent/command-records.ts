import { existsSync } from 'node:fs';
import type { WireValue } from '../protocol/sections.ts';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import { fromWire } from '../protocol/catalogue/record.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { type Pinned, PinnedFile } from './pinned/pinned-file.ts';
import { openReadOnly } from './replica/replica-file.ts';
import { Replica } from './replica/replica.ts';
import { layoutOf } from './replica/table-layout.ts';

/** Reads the replica as it is. Works without a network and beside a running agent. */
export interface RecordsOptions {
  readonly data: string;
  readonly json?: boolean;
}

export function getRecordCommand(
  io: AgentIo,
  where: { readonly collection: string; readonly key: string },
  { data, json }: RecordsOptions,
): ExitCode {
  const { collection: name, key } = where;
  const collection = collectionOf(name);
  return withReplica(data, (replica) => {
    const { columns } = layoutOf(name);
    const row = replica?.prepare(`SELECT * FROM "${name}" WHERE "key" = ?`).get(key);
    if (row === undefined) return pinnedRecord(io, where, { data, json: json === true });
    const { fields } = fromWire(collection, key, { columns, values: columns.map((column) => row[column] as WireValue) });
    const extra = row['extra'] === null ? {} : (JSON.parse(String(row['extra'])) as Record<string, unknown>);
    const withheld = (replica?.planNote()?.withheld ?? []).flatMap((field) =>
      field.startsWith(`${name}.`) ? [field.slice(name.length + 1)] : [],
    );
    if (json === true) printJson(io, { collection: name, key, rev: row['rev'], fields: { ...fields, ...extra }, withheld });
    else {
      for (const [field, value] of Object.entries({ ...fields, ...extra })) io.stdout.write(`${field.padEnd(24)} ${String(value)}\n`);
      for (const field of withheld) io.stdout.write(`${field.padEnd(24)} (withheld: not shared with stores)\n`);
    }
    return exitCodes.fine;
  });
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

function withReplica(data: string, run: (replica: Replica | null) => ExitCode): ExitCode {
  const db = openReadOnly(dataPaths(data).replica);
  const replica = db === null ? null : new Replica(db);
  try {
    return run(replica);
  } finally {
    replica?.close();
  }
}
