import { sha256Hex } from '../../codec/pack.ts';
import { feedsInScope } from '../../core/plan/feeds-in-scope.ts';
import type { Actor } from '../../core/ports/audit-log.ts';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { StoreRegistry } from '../../core/ports/store-registry.ts';
import type { UndertakingStore } from '../../core/ports/undertaking-store.ts';
import { type UndertakingAct, type Verdict, askedFor, decideUndertaking, stateAt } from '../../core/undertakings/undertaking.ts';
import { components } from '../../protocol/catalogue/catalogue.ts';
import type { Organization } from '../../protocol/organization.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Undertaking, UndertakingKind } from '../../protocol/undertaking.ts';
import { eachStore } from '../each-store.ts';
import type { ConsoleOp } from './console-op.ts';
import { type Done, changed, looked } from './done.ts';

/** Work on what many stores hold, and who says yes to it. */
export interface UndertakingDeps {
  readonly registry: Pick<StoreRegistry, 'listStores'>;
  readonly undertakings: UndertakingStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly organization: Organization;
}

type UndertakingOp =
  | 'erase.begin'
  | 'rebuild.begin'
  | 'undertaking.carry-out'
  | 'undertaking.end'
  | `approvals.${'list' | 'approve' | 'reject'}`;

export function isUndertakingRequest(request: { readonly op: string }): request is ConsoleOp<UndertakingOp> {
  return /^(erase|rebuild|undertaking|approvals)\./.test(request.op);
}

export async function undertakingsApi(deps: UndertakingDeps, actor: Actor, request: ConsoleOp<UndertakingOp>): Promise<Done> {
  switch (request.op) {
    case 'erase.begin':
      return begin(deps, actor, { kind: 'erase', subject: sha256Hex(request.userId), reason: request.reason });
    case 'rebuild.begin':
      return begin(deps, actor, { kind: 'rebuild', subject: request.component, reason: request.reason });
    case 'undertaking.carry-out':
      return act(deps, 'CARRY_OUT', { actor, undertakingId: request.undertakingId });
    case 'undertaking.end':
      return act(deps, 'END', { actor, undertakingId: request.undertakingId });
    case 'approvals.list':
      return looked(await list(deps, request));
    case 'approvals.approve':
      return act(deps, 'APPROVE', { actor, undertakingId: request.undertakingId });
    case 'approvals.reject':
      return act(deps, 'REJECT', { actor, undertakingId: request.undertakingId });
  }
}

interface Matter {
  readonly kind: UndertakingKind;
  readonly subject: string;
  readonly reason: string;
}

async function begin(deps: UndertakingDeps, actor: Actor, matter: Matter): Promise<Done> {
  const storesMin = deps.organization.approval?.storesMin ?? null;
  const stores = await storesReached(deps, matter);
  const asked = { ...matter, undertakingId: deps.ids.next(), stores, storesMin, actor, now: deps.clock.now() };
  const after = allowed(askedFor(asked));
  await deps.undertakings.add(after);
  return changed({ undertaking: after }, null, said(after));
}

/** Those with an active replica: an erasure may reach any of them, a rebuild those that have the component. */
async function storesReached({ registry, organization }: UndertakingDeps, { kind, subject }: Matter): Promise<number> {
  const own = components.filter(({ name }) => kind === 'erase' || name === subject);
  let reached = 0;
  for await (const { store, replicas } of eachStore(registry)) {
    const holds = own.some((component) => feedsInScope(component, store, organization.scopes).length > 0);
    if (holds && replicas.some(({ status }) => status === 'ACTIVE')) reached += 1;
  }
  return reached;
}

interface Asked {
  readonly actor: Actor;
  readonly undertakingId: string;
}

async function act({ undertakings, clock }: UndertakingDeps, what: UndertakingAct, { actor, undertakingId }: Asked): Promise<Done> {
  const before = await undertakings.read(undertakingId);
  if (before === null) throw new SyncError('NOT_FOUND', `nothing was asked for as ${undertakingId}`);
  const after = allowed(decideUndertaking(before, what, { actor, now: clock.now() }));
  if ((await undertakings.change(before, after)) === 'conflict')
    throw new SyncError('CONFLICT', 'somebody else decides about it at this moment', { retryAfterMs: 500 });
  return changed({ undertaking: after }, said(before), said(after));
}

function allowed(verdict: Verdict): Undertaking {
  if (verdict.kind === 'allowed') return verdict.after;
  throw new SyncError(verdict.code === 'FORBIDDEN' ? 'FORBIDDEN' : 'INVALID_INPUT', verdict.why);
}

function said({ undertakingId, state, stores }: Undertaking): Record<string, string | number> {
  return { undertakingId, state, stores };
}

async function list({ undertakings, clock }: UndertakingDeps, { after, limit }: ConsoleOp<'approvals.list'>): Promise<object> {
  const part = await undertakings.list({ after: after ?? null, limit });
  const now = clock.now();
  return { undertakings: part.undertakings.map((one) => ({ ...one, state: stateAt(one, now) })), next: part.next };
}
