import type { RolloutStore } from '../../../core/ports/rollout-store.ts';
import type { Rollout } from '../../../protocol/rollout.ts';

export class MemoryRolloutStore implements RolloutStore {
  rollout: Rollout | null = null;

  read(): Promise<Rollout | null> {
    return Promise.resolve(this.rollout);
  }

  change(before: Rollout | null, after: Rollout): Promise<'changed' | 'conflict'> {
    if (this.rollout?.revision !== before?.revision) return Promise.resolve('conflict');
    this.rollout = after;
    return Promise.resolve('changed');
  }
}
