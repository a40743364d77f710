import { sha256Hex } from '../../codec/pack.ts';
import { formatCode, normalizeCode } from '../../core/enrolment-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type Store, type StoreListing, type StoreRegistry, lastHeardAt } from '../../core/ports/store-registry.ts';
import { keySince } from '../../core/proofs/replica-keys.ts';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import { agentStanding } from '../../core/rollout/agent-version.ts';
import { horizonUse } from '../../core/stores/horizon-use.ts';
import { clockSkew } from '../../protocol/clock-skew.ts';
import { limits } from '../../protocol/limits.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import type { Organization } from '../../protocol/organization.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type * as z from 'zod';
import { type Done, changed, looked } from './done.ts';
import { settingsOfStores } from './rollout.ts';
import { decommission } from './decommission.ts';
import { revoke } from './revoke.ts';
import { type WaitingDeps, countWaiting } from './waiting.ts';

/** Which stores there are, what they may read, and who may speak for them. */
export interface StoreDeps {
  readonly registry: StoreRegistry;
  readonly rollouts: Pick<RolloutStore, 'read'>;
  readonly uploads: WaitingDeps['uploads'];
  readonly clock: Clock;
  /** 16 bytes nobody can guess. */
  readonly randomBytes: () => Uint8Array;
  readonly organization: Organization;
}

type Request = Extract<z.output<typeof consoleRequestSchema>, { op: `store.${string}` }>;

/** Somebody else changed the store between our read and our write, this often in a row. */
const CHANGE_TRIES = 5;

export function isStoreRequest(request: z.output<typeof consoleRequestSchema>): request is Request {
  return request.op.startsWith('store.');
}

export async function storesApi(deps: StoreDeps, request: Request): Promise<Done> {
  switch (request.op) {
    case 'store.add':
      return addStore(deps, request);
    case 'store.change':
      return changeStore(deps, request);
    case 'store.changes':
      return looked({ changes: await deps.registry.readStoreChanges(request.storeId) });
    case 'store.code':
      return newCode(deps, request);
    case 'store.revoke':
      return revokeReplicas(deps, request);
    case 'store.decommission':
      return closeStore(deps, request);
    case 'store.rotate-key':
      return askForKey(deps, request);
    case 'store.show':
      return looked(await showStore(deps, request));
    case 'store.list':
      return looked(await listStores(deps, request));
  }
}

async function addStore(deps: StoreDeps, request: Extract<Request, { op: 'store.add' }>): Promise<Done> {
  const now = deps.clock.now();
  const store = {
    storeId: request.storeId,
    name: request.name ?? request.storeId,
    edition: request.edition,
    zone: request.zone ?? null,
    timeZone: request.timeZone ?? deps.organization.timeZone,
    currency: request.currency ?? deps.organization.currency,
    createdAt: new Date(now).toISOString(),
  };
  await deps.registry.addStore(store);
  const made = await makeCode(deps, request.storeId);
  return changed(made, null, { ...zoneAndEdition(store), codeExpiresAt: made.expiresAt });
}

async function newCode(deps: StoreDeps, { storeId, replace }: Extract<Request, { op: 'store.code' }>): Promise<Done> {
  const listing = await deps.registry.readListing(storeId);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const active = listing.replicas.filter(({ status }) => status === 'ACTIVE').map(({ replicaId }) => replicaId);
  const made = await makeCode(deps, storeId, { replaces: replace });
  return changed({ ...made, active, replaces: replace }, { active }, { codeExpiresAt: made.expiresAt, replaces: replace });
}

async function makeCode(
  { registry, clock, randomBytes }: StoreDeps,
  storeId: string,
  { replaces }: { readonly replaces: boolean } = { replaces: false },
) {
  const code = formatCode(randomBytes());
  const issuedAt = clock.now();
  const expiresAt = issuedAt + limits.enrolmentCodeLifeMs;
  await registry.putEnrolmentCode({ sha256: sha256Hex(normalizeCode(code)), storeId, issuedAt, expiresAt, replaces });
  return { storeId, code, expiresAt: new Date(expiresAt).toISOString() };
}

async function revokeReplicas(deps: StoreDeps, request: Extract<Request, { op: 'store.revoke' }>): Promise<Done> {
  const { active, ...answer } = await revoke(deps, request);
  return changed(answer, { active }, { revoked: answer.revoked, waiting: countWaiting(answer.waiting) });
}

async function askForKey({ registry, clock }: StoreDeps, request: Extract<Request, { op: 'store.rotate-key' }>): Promise<Done> {
  const { storeId, replicaId } = request;
  const listing = await registry.readListing(storeId);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const active = listing.replicas.filter(({ status }) => status === 'ACTIVE').map((replica) => replica.replicaId);
  const asked = replicaId === undefined ? active : active.filter((one) => one === replicaId);
  if (asked.length === 0) throw new SyncError('NOT_FOUND', `store ${storeId} has no such active replica; its agent has to enrol first`);
  const at = new Date(clock.now()).toISOString();
  for (const one of asked) await registry.askForKey(one, at);
  return changed({ storeId, asked }, { active }, { asked });
}

async function listStores(deps: StoreDeps, { after, limit }: Extract<Request, { op: 'store.list' }>): Promise<object> {
  const now = deps.clock.now();
  const [{ stores, next }, settingsFor] = await Promise.all([
    deps.registry.listStores({ after: after ?? null, limit }),
    settingsOfStores(deps),
  ]);
  return { stores: stores.map((listing) => shown(listing, settingsFor(listing.store.storeId), now)), next };
}

function shown({ store, replicas, certificates }: StoreListing, { agentVersion }: StoreSettings, now: number): object {
  const seen = replicas.map((replica) => ({
    ...replica,
    agent: agentStanding(replica.agentVersion, agentVersion),
    clock: replica.skewMs === undefined ? null : clockSkew(replica.skewMs),
    keySince: keySince(replica),
    horizon: horizonUse(lastHeardAt(replica), now),
  }));
  return { ...store, replicas: seen, certificates };
}

async function showStore(deps: StoreDeps, { storeId }: Extract<Request, { op: 'store.show' }>): Promise<object> {
  const [listing, settingsFor] = await Promise.all([deps.registry.readListing(storeId), settingsOfStores(deps)]);
  if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  return { store: shown(listing, settingsFor(storeId), deps.clock.now()) };
}

/** A change of zone or edition moves what the store may read; it takes effect at the store's next plan (INV-40). */
async function changeStore({ registry, clock }: StoreDeps, request: Extract<Request, { op: 'store.change' }>): Promise<Done> {
  for (let tries = 0; tries < CHANGE_TRIES; tries += 1) {
    const before = await registry.readStore(request.storeId);
    if (before === null) throw new SyncError('NOT_FOUND', `there is no store ${request.storeId}`);
    const after = { ...before, zone: request.zone === undefined ? before.zone : request.zone, edition: request.edition ?? before.edition };
    if (after.zone === before.zone && after.edition === before.edition)
      return changed({ changed: false, store: before }, zoneAndEdition(before), zoneAndEdition(before));
    if ((await registry.changeStore(before, after, new Date(clock.now()).toISOString())) === 'changed')
      return changed({ changed: true, store: after }, zoneAndEdition(before), zoneAndEdition(after));
  }
  throw new SyncError('CONFLICT', `others keep changing store ${request.storeId}`, { retryAfterMs: 500 });
}

function zoneAndEdition({ zone, edition }: Store): { zone: string | null; edition: string } {
  return { zone, edition };
}

async function closeStore(deps: StoreDeps, request: Extract<Request, { op: 'store.decommission' }>): Promise<Done> {
  const answer = await decommission(deps, request);
  return changed(answer, { waiting: countWaiting(answer.waiting) }, { closedAt: answer.at, retired: answer.retired });
}
