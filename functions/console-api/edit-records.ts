import { sha256Hex } from '../../codec/pack.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { Organization } from '../../protocol/organization.ts';
import type { ConsoleOp } from './console-op.ts';
import { type Done, changed } from './done.ts';
import { writeRecords } from './write-records.ts';

interface EditDeps {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly organization: Organization;
}

/**
 * Main data by hand or by a file. A revision says which state of a record it was without saying anything of it, so the audit has the
 * digest of the revisions before and after: somebody who has them can show that it was these.
 */
export async function editRecords(deps: EditDeps, request: ConsoleOp<'records.write'>): Promise<Done> {
  const before: number[] = [];
  const after: number[] = [];
  const onWrite = (from: number | null, to: number) => {
    if (from !== null) before.push(from);
    after.push(to);
  };
  const outcomes = await writeRecords({ ...deps, scopes: deps.organization.scopes, onWrite }, request);
  const rejected = outcomes.filter(({ outcome }) => outcome === 'rejected').length;
  return changed(
    { outcomes },
    { records: before.length, revs: digestOf(before) },
    { records: after.length, revs: digestOf(after), rejected },
  );
}

function digestOf(revs: readonly number[]): string | null {
  return revs.length === 0 ? null : sha256Hex(revs.join(' '));
}
