import { sha256Hex } from '../../codec/pack.ts';
import { formatCode, normalizeCode } from '../../core/enrolment-code.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type Store, type StoreRegistry, lastHeardAt } from '../../core/ports/store-registry.ts';
import { descendants } from '../../core/stores/descendants.ts';
import { horizonUse } from '../../core/stores/horizon-use.ts';
import { limits } from '../../protocol/limits.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import type { Organization } from '../../protocol/organization.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type * as z from 'zod';
import { type Done, changed, looked } from './done.ts';

/** Which stores there are, what they may read, and who may speak for them. */
export interface StoreDeps {
  readonly registry: StoreRegistry;
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
      return revoke(deps, request);
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

async function newCode(deps: StoreDeps, { storeId }: Extract<Request, { op: 'store.code' }>): Promise<Done> {
  if ((await deps.registry.readStore(storeId)) === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
  const made = await makeCode(deps, storeId);
  return changed(made, null, { codeExpiresAt: made.expiresAt });
}

async function makeCode({ registry, clock, randomBytes }: StoreDeps, storeId: string) {
  const code = formatCode(randomBytes());
  const issuedAt = clock.now();
  const expiresAt = issuedAt + limits.enrolmentCodeLifeMs;
  await registry.putEnrolmentCode({ sha256: sha256Hex(normalizeCode(code)), storeId, issuedAt, expiresAt });
  return { storeId, code, expiresAt: new Date(expiresAt).toISOString() };
}

/**
 * One replica with all that became of its disk, or all of a store and the codes that are still out. Twice is once: what is revoked
 * already is named as well. Nothing comes of a replica that is revoked, so looking again until nothing is new ends.
 */
async function revoke({ registry, clock }: StoreDeps, { storeId, replicaId }: Extract<Request, { op: 'store.revoke' }>): Promise<Done> {
  const revoked = new Set<string>();
  const wereActive = new Set<string>();
  if (replicaId === undefined) await registry.voidCodes(storeId, clock.now());
  for (;;) {
    const listing = await registry.readListing(storeId);
    if (listing === null) throw new SyncError('NOT_FOUND', `there is no store ${storeId}`);
    const chosen = replicaId === undefined ? listing.replicas : descendants(listing.replicas, replicaId);
    if (replicaId !== undefined && chosen.length === 0) throw new SyncError('NOT_FOUND', `store ${storeId} has no replica ${replicaId}`);
    const left = chosen.filter((replica) => !revoked.has(replica.replicaId));
    if (left.length === 0) {
      const active = listing.replicas.filter(({ status }) => status === 'ACTIVE').length;
      return changed({ storeId, revoked: [...revoked] }, { active: [...wereActive] }, { revoked: [...revoked], otherActive: active });
    }
    for (const replica of left) {
      if (replica.status === 'ACTIVE') wereActive.add(replica.replicaId);
      await registry.revokeReplica(replica.replicaId);
      revoked.add(replica.replicaId);
    }
  }
}

async function listStores({ registry, clock }: StoreDeps, { after, limit }: Extract<Request, { op: 'store.list' }>): Promise<object> {
  const now = clock.now();
  const { stores, next } = await registry.listStores({ after: after ?? null, limit });
  const listed = stores.map(({ store, replicas, certificates }) => ({
    ...store,
    replicas: replicas.map((replica) => ({ ...replica, horizon: horizonUse(lastHeardAt(replica), now) })),
    certificates,
  }));
  return { stores: listed, next };
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
