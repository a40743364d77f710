import type { Actor } from '../../core/ports/audit-log.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import { type RolloutAct, actOnRollout, waitsFor } from '../../core/rollout/decide-rollout.ts';
import { isSameSettings, settingsFor } from '../../core/rollout/settings-for-store.ts';
import type { Organization } from '../../protocol/organization.ts';
import type { Rollout } from '../../protocol/rollout.ts';
import { type StoreSettings, storeSettingsOf } from '../../protocol/store-settings.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type ObserveDeps, observeCanary } from '../observe-canary.ts';
import type { ConsoleOp } from './console-op.ts';
import { type Done, changed, looked } from './done.ts';

/** How store settings stand, and what a person decides about them. */
export interface RolloutDeps extends ObserveDeps {
  readonly rollouts: RolloutStore;
  readonly clock: Clock;
  readonly hourMs: number;
  readonly organization: Organization;
}

type RolloutOp = `rollout.${'status' | 'stop' | 'resume' | 'finish'}`;

const ACTS: Readonly<Record<Exclude<RolloutOp, 'rollout.status'>, RolloutAct>> = {
  'rollout.stop': 'STOP',
  'rollout.resume': 'RESUME',
  'rollout.finish': 'FINISH',
};

export function isRolloutRequest(request: { readonly op: string }): request is ConsoleOp<RolloutOp> {
  return request.op.startsWith('rollout.');
}

export async function rolloutApi(deps: RolloutDeps, actor: Actor, request: ConsoleOp<RolloutOp>): Promise<Done> {
  return request.op === 'rollout.status' ? looked(await status(deps)) : act(deps, actor, request);
}

async function status(deps: RolloutDeps): Promise<object> {
  const deployed = storeSettingsOf(deps.organization);
  const rollout = await deps.rollouts.read();
  const time = { now: deps.clock.now(), hourMs: deps.hourMs };
  const observations = await observeCanary(deps, rollout, time);
  const isTrial = rollout?.state === 'CANARY';
  return {
    deployed,
    // What is deployed and neither in force nor a candidate yet is looked at within minutes.
    isNew:
      rollout === null ||
      (rollout.state === 'EVERYWHERE' ? !isSameSettings(deployed, rollout.inForce) : !isSameSettings(deployed, rollout.candidate)),
    rollout,
    stores: observations,
    waitsFor: isTrial ? waitsFor(rollout, observations, time) : [],
  };
}

async function act({ rollouts, clock }: RolloutDeps, actor: Actor, { op, reason }: ConsoleOp<keyof typeof ACTS>): Promise<Done> {
  const before = await rollouts.read();
  const verdict = actOnRollout(before, ACTS[op], { by: actor.name, reason, now: clock.now() });
  if (verdict.kind === 'refused') throw new SyncError(verdict.code, verdict.why);
  if ((await rollouts.change(before, verdict.after)) === 'conflict')
    throw new SyncError('CONFLICT', 'the rollout changes at this moment; look at it and decide again', { retryAfterMs: 500 });
  return changed({ rollout: verdict.after }, said(before), said(verdict.after));
}

function said(rollout: Rollout | null): Record<string, string | number> {
  return rollout === null ? {} : { state: rollout.state, revision: rollout.revision };
}

/** Of the store list: where stores with a canary have other ones. */
export async function settingsOfStores({
  rollouts,
  organization,
}: {
  readonly rollouts: Pick<RolloutStore, 'read'>;
  readonly organization: Organization;
}): Promise<(storeId: string) => StoreSettings> {
  const rollout = organization.canary === undefined ? null : await rollouts.read();
  const deployed = storeSettingsOf(organization);
  return (storeId) => (rollout === null ? deployed : settingsFor(storeId, rollout));
}
