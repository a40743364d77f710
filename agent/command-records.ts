import type { WireValue } from '../protocol/sections.ts';
import { collectionOf } from '../protocol/catalogue/catalogue.ts';
import { fromWire } from '../protocol/catalogue/record.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
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
    if (row === undefined) throw new SyncError('NOT_FOUND', `this replica has no ${name} ${JSON.stringify(key)}`);
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
