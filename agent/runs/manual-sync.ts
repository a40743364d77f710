import { neverTransferred } from '../../core/runs/gate.ts';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import { COMPONENT_NAMES, type ComponentName } from '../../protocol/catalogue/types.ts';
import { limits } from '../../protocol/limits.ts';
import { costUsd } from '../../protocol/prices.ts';
import type { Command, ManualResult, RunTrigger } from '../../protocol/runs.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type AgentIo, createSyncDeps } from '../agent-io.ts';
import { dataPaths } from '../data-folder.ts';
import { requireIdentity } from '../identity.ts';
import { OutboxFile } from '../outbox/outbox-file.ts';
import type { ProgressStyle } from '../progress/progress-lines.ts';
import { openReadOnly } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';
import { collect, upload } from '../sync/store-sync.ts';
import { verifyReplica } from '../sync/verify-replica.ts';
import type { RunLog } from './run-log.ts';
import { upStanding } from './store-facts.ts';

/**
 * A manual sync of this store: what differs is replaced (`repair`), everything is (`resend`), or what was recorded here goes up
 * again (`re-upload`). What was recorded and is not at head office yet is never overwritten; it lies over the rows. A
 * preview counts and changes nothing.
 */
export type ManualWork = Pick<Command, 'kind' | 'components' | 'preview'> & { readonly commandId: string | null };

interface ManualInput {
  readonly data: string;
  readonly style: ProgressStyle;
  readonly work: ManualWork;
  readonly trigger: RunTrigger;
}

/** A slow link, for what has not happened yet: 2 Mbit/s. */
const PREVIEW_BYTES_PER_SECOND = 250_000;

export async function manualSync(io: AgentIo, log: RunLog, input: ManualInput): Promise<ManualResult> {
  const { data, work, trigger } = input;
  const { replicaId } = requireIdentity(dataPaths(data).identity);
  const planned = plannedComponents(data);
  const refused = neverTransferred(planned, work.components);
  if (refused !== null) throw new SyncError(refused.code, refused.message);
  const direction = work.kind === 're-upload' ? ('UP' as const) : ('DOWN' as const);
  if (!work.preview) {
    log.start({ kind: 'manual', trigger, replicaId, declaredThrough: 0, commandId: work.commandId });
    log.plan({ components: planned, only: work.components, directions: [direction] });
  }
  try {
    const result = work.kind === 're-upload' ? await reUpload(io, input) : await download(io, log, input);
    const open = direction === 'UP' ? upStanding(data) : new Map<ComponentName, { open: number }>();
    if (!work.preview)
      for (const component of COMPONENT_NAMES) {
        const own = result.components.find((one) => one.component === component);
        const changes = own === undefined ? 0 : own.add + own.change + own.remove + own.resent;
        log.event(component, direction, { type: 'COMPLETE', changes, issues: open.get(component)?.open ?? 0 });
      }
    return result;
  } catch (error) {
    if (work.preview) throw error;
    const { code, message } = error instanceof SyncError ? error : { code: 'INTERNAL' as const, message: 'a bug; the log says more' };
    if (io.signal.aborted) log.cancel();
    else log.fail(code, message);
    throw error;
  }
}

function plannedComponents(data: string) {
  const db = openReadOnly(dataPaths(data).replica);
  const replica = db === null ? null : new Replica(db);
  try {
    const note = replica?.planNote() ?? null;
    if (note === null) throw new SyncError('NOT_COMPLETE', 'this store was never synced; run `agent logon --wait` first');
    return note.components;
  } finally {
    replica?.close();
  }
}

async function download(io: AgentIo, log: RunLog, { data, style, work }: ManualInput): Promise<ManualResult> {
  const startedAt = io.clock.now();
  const made = await createSyncDeps(io, data, style);
  const deps = work.preview ? made : { ...made, progress: log.watching(made.progress) };
  const counts = new Map<ComponentName, { add: number; change: number; remove: number }>();
  let bytes = 0;
  let ranges = 0;
  try {
    await verifyReplica(deps, {
      deep: true,
      repair: !work.preview,
      preview: work.preview,
      resend: work.kind === 'resend',
      components: work.components,
      onRange: (component, { add, change, remove }, size) => {
        const own = counts.get(component) ?? { add: 0, change: 0, remove: 0 };
        counts.set(component, { add: own.add + add, change: own.change + change, remove: own.remove + remove });
        bytes += size;
        ranges += size > 0 ? 1 : 0;
      },
    });
  } finally {
    deps.progress.end();
  }
  const moved = work.preview ? bytes : deps.count.bytes;
  return {
    components: [...counts].map(([component, own]) => ({ component, ...own, resent: 0 })),
    unsent: unsentOf(data, work.components),
    bytes: moved,
    seconds: work.preview ? moved / PREVIEW_BYTES_PER_SECOND : (io.clock.now() - startedAt) / 1_000,
    costUsd: costUsd({ 'egress.bytes': moved, 's3.gets': ranges }),
  };
}

async function reUpload(io: AgentIo, { data, work }: ManualInput): Promise<ManualResult> {
  const startedAt = io.clock.now();
  const paths = dataPaths(data);
  const chosen = collections.filter(({ component }) => work.components.length === 0 || work.components.includes(component));
  const unsent = unsentOf(data, work.components);
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  const resent = new Map<ComponentName, number>();
  let bytes = 0;
  try {
    const again = outbox.resubmit(new Set(chosen.map(({ name }) => name)), { preview: work.preview });
    ({ bytes } = again);
    for (const { name, component } of chosen) {
      const count = again.counts.get(name) ?? 0;
      if (count > 0) resent.set(component, (resent.get(component) ?? 0) + count);
    }
  } finally {
    outbox.close();
  }
  if (!work.preview) {
    const before = await upload(io, data);
    if (before.failure !== null) throw new SyncError('UNAVAILABLE', `what was recorded waits for head office: ${before.failure.message}`);
    await collect(io, data, { before, wait: true });
  }
  return {
    components: [...resent].map(([component, count]) => ({ component, add: 0, change: 0, remove: 0, resent: count })),
    unsent,
    bytes,
    seconds: work.preview ? bytes / PREVIEW_BYTES_PER_SECOND : (io.clock.now() - startedAt) / 1_000,
    costUsd: costOfUpload(
      [...resent.values()].reduce((sum, count) => sum + count, 0),
      bytes,
    ),
  };
}

/** What is there already is stored once more, found to be there, and answered. */
function costOfUpload(operations: number, bytes: number): number {
  const requests = Math.ceil(bytes / limits.pushBytesMax);
  return costUsd({ 'api.requests': requests, 'lambda.requests': requests * 2, 'dynamodb.writeUnits': operations * 2 });
}

function unsentOf(data: string, only: readonly ComponentName[]): number {
  return [...upStanding(data)].reduce(
    (sum, [component, { waiting }]) => sum + (only.length === 0 || only.includes(component) ? waiting : 0),
    0,
  );
}
