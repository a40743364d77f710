import { type AgentIo, createSyncDeps, printJson, progressStyle } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { type Difference, verifyReplica } from './sync/verify-replica.ts';

/** Compares this replica with head office, range by range; repairs what differs with `--repair`. */
export interface VerifyCommandOptions {
  readonly data: string;
  readonly deep?: boolean;
  readonly repair?: boolean;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function verifyCommand(io: AgentIo, { data, deep, repair, json, progress }: VerifyCommandOptions): Promise<ExitCode> {
  const paths = dataPaths(data);
  const { storeId, replicaId } = requireIdentity(paths.identity);
  const startedAt = performance.now();
  const lock = lockFolder(paths);
  try {
    const deps = await createSyncDeps(io, data, progressStyle(io, progress));
    const { differences, ...outcome } = await verifyReplica(deps, { deep: deep === true, repair: repair === true });
    deps.progress.end();
    const equal = differences.length === 0 || outcome.repaired;
    const seconds = Math.round(performance.now() - startedAt) / 1_000;
    if (json === true)
      printJson(io, {
        storeId,
        replicaId,
        equal,
        deep: deep === true,
        ...outcome,
        components: byComponent(differences),
        transfer: deps.count,
        seconds,
      });
    else io.stdout.write(`${describe(differences, outcome)}\n`);
    return equal ? exitCodes.fine : exitCodes.failed;
  } finally {
    lock.release();
  }
}

function byComponent(differences: readonly Difference[]): { component: string; ranges: Difference[] }[] {
  const names = [...new Set(differences.map((difference) => difference.component))];
  return names.map((name) => ({
    component: name,
    ranges: differences.filter(({ component }) => component === name),
  }));
}

function describe(
  differences: readonly Difference[],
  { feeds, ranges, rows, repaired }: { feeds: number; ranges: number; rows: number; repaired: boolean },
): string {
  const compared = `${rows.toLocaleString('en-US')} rows in ${ranges} ranges of ${feeds} feeds`;
  if (differences.length === 0) return `Equal: ${compared}.`;
  const lines = differences.map(
    ({ component, collection, kind, rows: own, rowsExpected }) =>
      `${component}: ${collection}: ${kind} differ (${own} rows, head office has ${rowsExpected})`,
  );
  return [
    ...lines,
    repaired
      ? `Repaired ${differences.length} ranges; compared ${compared}.`
      : `${differences.length} ranges differ of ${compared}. Repair with --repair.`,
  ].join('\n');
}
