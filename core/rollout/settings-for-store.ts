import type { Rollout } from '../../protocol/rollout.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';

/**
 * Which settings a store has. It follows from the rollout alone and not from what the function that answers was deployed with, so instances of two
 * deployments say the same (INV-56).
 */
export function settingsFor(storeId: string, rollout: Rollout): StoreSettings {
  return rollout.state === 'CANARY' && isCanary(storeId, rollout) ? rollout.candidate : rollout.inForce;
}

export function isCanary(storeId: string, rollout: Rollout): boolean {
  return rollout.state !== 'EVERYWHERE' && rollout.canary.stores.includes(storeId);
}

/** A setting without its line does not compile: a change of it would never be rolled out. */
const SAME: Readonly<Record<keyof StoreSettings, (a: StoreSettings, b: StoreSettings) => boolean>> = {
  offlineRedemption: ({ offlineRedemption: a }, { offlineRedemption: b }) =>
    isSameCeiling(a.points, b.points) && isSameCeiling(a.coupons, b.coupons),
  syncMinutes: (a, b) => a.syncMinutes === b.syncMinutes,
  agentVersion: (a, b) => a.agentVersion === b.agentVersion,
};

export function isSameSettings(a: StoreSettings, b: StoreSettings): boolean {
  return Object.values(SAME).every((isSame) => isSame(a, b));
}

type Ceiling = StoreSettings['offlineRedemption']['points'];

function isSameCeiling(a: Ceiling, b: Ceiling): boolean {
  return a.perCustomer === b.perCustomer && a.perStore === b.perStore;
}
