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

export function isSameSettings(a: StoreSettings, b: StoreSettings): boolean {
  const [points, coupons] = [a.offlineRedemption.points, a.offlineRedemption.coupons];
  const others = b.offlineRedemption;
  return (
    a.syncMinutes === b.syncMinutes &&
    a.agentVersion === b.agentVersion &&
    points.perCustomer === others.points.perCustomer &&
    points.perStore === others.points.perStore &&
    coupons.perCustomer === others.coupons.perCustomer &&
    coupons.perStore === others.coupons.perStore
  );
}
