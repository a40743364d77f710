import type { Clock } from '../../core/ports/clock.ts';
import type { RolloutStore } from '../../core/ports/rollout-store.ts';
import { type Deployed, decideRollout } from '../../core/rollout/decide-rollout.ts';
import type { Rollout } from '../../protocol/rollout.ts';
import { type ObserveDeps, observeCanary } from '../observe-canary.ts';

/**
 * One look at the rollout: it is begun, stopped or finished here, and nowhere else by itself. Costs one small read where nothing is on trial,
 * whatever the number of stores.
 */
export interface WatchRolloutDeps extends ObserveDeps {
  readonly rollouts: RolloutStore;
  readonly clock: Clock;
  readonly hourMs: number;
  readonly deployed: Deployed;
}

export async function watchRollout(deps: WatchRolloutDeps): Promise<{ readonly before: Rollout | null; readonly after: Rollout }> {
  const before = await deps.rollouts.read();
  const time = { now: deps.clock.now(), hourMs: deps.hourMs };
  const observations = await observeCanary(deps, before, time);
  const after = decideRollout(before, { deployed: deps.deployed, observations }, time);
  if (before === null || after !== before) {
    // Somebody decided something at this moment: the next look sees it.
    if ((await deps.rollouts.change(before, after)) === 'conflict') return { before, after: (await deps.rollouts.read()) ?? after };
  }
  return { before, after };
}
