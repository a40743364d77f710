import type { Collection, Field } from '../../protocol/catalogue/types.ts';
import type { AttributeStatus } from '../../protocol/sync-details/statuses.ts';
import type { Entry } from './entry.ts';
import { type ServerState, isOverRow } from './overlay.ts';

/**
 * Where each attribute of a record stands, as a store's user sees it (domain page, section 6.4): exactly one status for each that
 * has a value, was recorded here, or is withheld (INV-15).
 */
export interface AttributeInput {
  readonly collection: Collection;
  readonly server: ServerState;
  /** Of this record, in the order in which they were captured. */
  readonly entries: readonly Entry[];
  /** Names of fields that this organization does not share with stores. */
  readonly withheld: ReadonlySet<string>;
  /** The component is older than it should be. */
  readonly isStale: boolean;
}

export function attributeStatuses(input: AttributeInput): Record<string, AttributeStatus> {
  return Object.fromEntries(
    input.collection.fields.flatMap((field): [string, AttributeStatus][] => {
      const status = statusOf(input, field);
      return status === null ? [] : [[field.name, status]];
    }),
  );
}

function statusOf({ server, entries, withheld, isStale }: AttributeInput, { name, rule }: Field): AttributeStatus | null {
  if (withheld.has(name)) return 'WITHHELD';
  // What was said last counts: an earlier refusal of the same attribute is history.
  const last = entries.findLast(({ operation }) => operation.fields[name] !== undefined);
  const said = last === undefined ? null : ofEntry(last, name, server);
  if (said !== null) return said;
  if (server.row?.fields?.[name] === undefined) return null;
  return rule === 'CD' && isStale ? 'STALE' : 'SYNCED';
}

function ofEntry(entry: Entry, name: string, server: ServerState): AttributeStatus | null {
  const outcome = entry.receipt?.attributes.find(({ field }) => field === name);
  if (outcome !== undefined) return outcome.status;
  if (!isOverRow(entry, server)) return null;
  return entry.receipt === null || entry.status === 'HELD' ? 'PENDING_UPLOAD' : 'PENDING_DOWNLOAD';
}
