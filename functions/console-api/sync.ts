import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { RunStore } from '../../core/ports/run-store.ts';
import { type Replica, type Store, type StoreRegistry, lastHeardAt } from '../../core/ports/store-registry.ts';
import type { UploadStore } from '../../core/ports/upload-store.ts';
import { COMMAND_LIFE_MS, afterCommandEvent, expired } from '../../core/runs/command.ts';
import { expectedContact } from '../../core/runs/expected.ts';
import { etaMs, percentOf } from '../../core/runs/roll-up.ts';
import { isManualOffered, neverTransferred } from '../../core/runs/gate.ts';
import { expectedReplicas } from '../../core/stores/descendants.ts';
import { componentStatus, components } from '../../protocol/catalogue/catalogue.ts';
import { clockSkew } from '../../protocol/clock-skew.ts';
import { limits } from '../../protocol/limits.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import type { Organization } from '../../protocol/organization.ts';
import { type Command, isCommandOver } from '../../protocol/runs.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type * as z from 'zod';
import { type Done, changed, looked } from './done.ts';

/** Runs of stores as people see them, and manual syncs. */
export interface SyncDeps {
  readonly registry: Pick<StoreRegistry, 'listStores' | 'readListing'>;
  readonly uploads: Pick<UploadStore, 'readHead'>;
  readonly runs: RunStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly organization: Organization;
}

type SyncRequest = Extract<z.output<typeof consoleRequestSchema>, { op: `sync.${string}` }>;
type Of<Op extends SyncRequest['op']> = Extract<SyncRequest, { op: Op }>;

const RUNS_SHOWN = 10;

export function isSyncRequest(request: z.output<typeof consoleRequestSchema>): request is SyncRequest {
  return request.op.startsWith('sync.');
}

export async function syncApi(deps: SyncDeps, request: SyncRequest): Promise<Done> {
  switch (request.op) {
    case 'sync.list':
      return looked(await list(deps, request));
    case 'sync.status':
      return looked(await status(deps, request));
    case 'sync.manual':
      return manual(deps, request);
    case 'sync.command':
      return looked(await command(deps, request));
    case 'sync.cancel':
      return cancel(deps, request);
  }
}

async function list(deps: SyncDeps, { after, limit }: Of<'sync.list'>): Promise<object> {
  const { stores, next } = await deps.registry.listStores({ after: after ?? null, limit });
  const rows = await Promise.all(
    stores.map(async ({ store, replicas }) => {
      const [[last], fresh] = await Promise.all([deps.runs.readRuns(store.storeId, 1), deps.runs.listFresh(store.storeId)]);
      const active = replicas.filter((replica) => replica.status === 'ACTIVE');
      const expected = expectedReplicas(replicas);
      return {
        storeId: store.storeId,
        name: store.name,
        replicas: active.length,
        last: last === undefined ? null : { runId: last.runId, kind: last.kind, state: last.state, updatedAt: last.updatedAt },
        freshComplete:
          expected.length > 0 &&
          expected.every(({ replicaId }) => fresh.some((one) => one.replicaId === replicaId && one.completeAt !== null)),
        isOverdue: expected.some((replica) => expectedOf(deps, replica).isOverdue),
      };
    }),
  );
  return { stores: rows, next };
}

async function status(deps: SyncDeps, { storeId }: Of<'sync.status'>): Promise<object> {
  const { replicas } = await storeOf(deps, storeId);
  const expected = new Set(expectedReplicas(replicas));
  const [runs, fresh, commands] = await Promise.all([
    deps.runs.readRuns(storeId, RUNS_SHOWN),
    deps.runs.listFresh(storeId),
    deps.runs.readCommands(storeId, deps.clock.now() - limits.runsKeptMs),
  ]);
  const shown = await Promise.all(
    replicas.map(async (replica) => {
      const { stored, appliedThrough } = await deps.uploads.readHead(replica.replicaId);
      return {
        replicaId: replica.replicaId,
        heardAt: replica.heardAt ?? null,
        agentVersion: replica.agentVersion ?? null,
        clock: replica.skewMs === undefined ? null : clockSkew(replica.skewMs),
        ...expectedOf(deps, replica),
        ...(expected.has(replica) ? {} : { isOverdue: false }),
        storedThrough: stored.seq,
        appliedThrough,
        fresh: fresh.find(({ replicaId }) => replicaId === replica.replicaId) ?? null,
      };
    }),
  );
  const offered = isManualOffered({ last: runs[0] ?? null, isOverdue: shown.some(({ isOverdue }) => isOverdue) });
  const [last] = runs;
  const progress = last === undefined ? { percent: null, etaMs: null } : { percent: percentOf(last), etaMs: etaMs(last, deps.clock.now()) };
  return {
    storeId,
    replicas: shown,
    runs,
    ...progress,
    commands: commands.map((one) => expired(one, deps.clock.now())).toReversed(),
    manualOffered: offered,
  };
}

function expectedOf({ clock, organization }: SyncDeps, replica: Replica) {
  return expectedContact({ lastHeardAt: lastHeardAt(replica), everyHours: organization.expectedEveryHours, now: clock.now() });
}

async function storeOf({ registry }: SyncDeps, storeId: string): Promise<{ readonly store: Store; readonly replicas: Replica[] }> {
  const found = await registry.readListing(storeId);
  if (found === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  return { store: found.store, replicas: found.replicas.filter((replica) => replica.status === 'ACTIVE') };
}

/** Offered when something did not get there by itself; to anybody who says why. A preview does nothing and is always there. */
async function manual(deps: SyncDeps, request: Of<'sync.manual'>): Promise<Done> {
  const { storeId, kind, components: chosen, preview, takeOver, by } = request;
  const reason = request.reason ?? null;
  const { store, replicas } = await storeOf(deps, storeId);
  const planned = components.map((one) => ({ component: one.name, status: componentStatus(one, store.edition) }));
  const refused = neverTransferred(planned, chosen);
  if (refused !== null) throw new SyncError(refused.code, refused.message);
  const heard = replicas.toSorted((a, b) => (lastHeardAt(a) < lastHeardAt(b) ? 1 : -1));
  const replica = request.replicaId === undefined ? heard[0] : heard.find(({ replicaId }) => replicaId === request.replicaId);
  if (replica === undefined) throw new SyncError('NOT_FOUND', `store ${storeId} has no such active replica; its agent has to enrol first`);
  const [last] = await deps.runs.readRuns(storeId, 1);
  const isOffered = isManualOffered({ last: last ?? null, isOverdue: expectedOf(deps, replica).isOverdue });
  if (!preview && !isOffered && reason === null)
    throw new SyncError('INVALID_INPUT', `nothing failed in store ${storeId}; say why with a reason`);
  const now = deps.clock.now();
  const made: Command = {
    commandId: deps.ids.next(),
    storeId,
    replicaId: replica.replicaId,
    kind,
    components: [...new Set(chosen)],
    preview,
    takeOver,
    reason,
    by,
    state: 'PENDING',
    createdAt: new Date(now).toISOString(),
    expiresAt: new Date(now + COMMAND_LIFE_MS).toISOString(),
    deliveredAt: null,
    finishedAt: null,
    result: null,
    failure: null,
  };
  await deps.runs.addCommand(made);
  return changed({ command: made }, { lastRun: last?.state ?? null }, { commandId: made.commandId, state: made.state });
}

async function command({ runs, clock }: SyncDeps, { storeId, commandId }: Of<'sync.command'>): Promise<object> {
  const found = await runs.readCommand(storeId, commandId);
  if (found === null) throw new SyncError('NOT_FOUND', `store ${storeId} has no command ${commandId}`);
  // Its time is up also where no agent comes by that would hear of it.
  return { command: expired(found, clock.now()) };
}

/** Everything of a store that is open: commands, and the fresh run with its workflow. What was transferred stays. */
async function cancel(deps: SyncDeps, { storeId }: Of<'sync.cancel'>): Promise<Done> {
  await storeOf(deps, storeId);
  const now = deps.clock.now();
  const at = new Date(now).toISOString();
  const cancelled: string[] = [];
  const open: string[] = [];
  // Also what a store began and never ended: its machine may be gone.
  const known = await deps.runs.readCommands(storeId, now - COMMAND_LIFE_MS - limits.runsKeptMs);
  for (const one of known.filter((made) => !isCommandOver(expired(made, now)))) {
    open.push(one.commandId);
    if ((await deps.runs.changeCommand(one, afterCommandEvent(one, 'CANCEL', { at }))) === 'changed') cancelled.push(one.commandId);
  }
  for (const record of await deps.runs.listFresh(storeId)) {
    if (record.completeAt !== null || record.cancelledAt !== null) continue;
    open.push(record.runId);
    if (await deps.runs.changeFresh({ ...record, cancelledAt: at })) cancelled.push(record.runId);
  }
  return changed({ storeId, cancelled }, { open }, { cancelled });
}
