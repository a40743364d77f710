import type { Clock } from '../../core/ports/clock.ts';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import type { Replica, StoreRegistry } from '../../core/ports/store-registry.ts';
import { isCanary, settingsFor } from '../../core/rollout/settings-for-store.ts';
import type { Deployed } from '../../core/rollout/decide-rollout.ts';
import type { Rollout } from '../../protocol/rollout.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';

/**
 * Which settings a store is told (INV-56). Without a canary they are the deployed ones, and nothing is read. With one the rollout is read once
 * for as long as it may be known, for all stores that this instance answers; what one instance says for so long after another knows better does
 * no harm, because either of the two was deployed by somebody (docs/decisions/0037).
 */
export interface ToldSettingsDeps {
  readonly rollouts: Pick<RolloutStore, 'read'>;
  readonly clock: Clock;
  readonly deployed: Deployed;
  /** ms. */
  readonly knownFor: number;
}

interface Told {
  readonly settings: StoreSettings;
  /** Of the rollout by which a canary store was told; null: it is none, or there is no trial. */
  readonly revision: number | null;
}

export function createToldSettings({ rollouts, clock, deployed, knownFor }: ToldSettingsDeps): (storeId: string) => Promise<Told> {
  let known: { readonly rollout: Promise<Rollout | null>; readonly until: number } | null = null;
  const read = () => {
    const rollout = rollouts.read();
    known = { rollout, until: clock.now() + knownFor };
    // What could not be read is asked for again by the next plan, and not by those who wait for this one.
    rollout.catch(() => (known = null));
    return rollout;
  };
  return async (storeId) => {
    if (deployed.canary === undefined) return { settings: deployed.settings, revision: null };
    const rollout = await (known !== null && clock.now() < known.until ? known.rollout : read());
    if (rollout === null) return { settings: deployed.settings, revision: null };
    return { settings: settingsFor(storeId, rollout), revision: isCanary(storeId, rollout) ? rollout.revision : null };
  };
}

/** One write for each replica of a canary store and each change of the rollout; none of all other stores. */
export async function noteTold(
  { registry, clock }: { readonly registry: Pick<StoreRegistry, 'noteTold'>; readonly clock: Clock },
  { replicaId, told: known }: Pick<Replica, 'replicaId' | 'told'>,
  { revision }: Pick<Told, 'revision'>,
): Promise<void> {
  if (revision === null || known?.revision === revision) return;
  await registry.noteTold(replicaId, { revision, at: new Date(clock.now()).toISOString(), syncedAt: null });
}
