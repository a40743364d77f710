import type { Rollout } from '../../protocol/rollout.ts';

/** How store settings stand: one of an organization. */
export interface RolloutStore {
  /** null: nothing was ever decided. As it is now, not as it was a moment ago. */
  read(): Promise<Rollout | null>;
  /** `conflict`: it is not the one of `before` any more, by its revision. */
  change(before: Rollout | null, after: Rollout): Promise<'changed' | 'conflict'>;
}
