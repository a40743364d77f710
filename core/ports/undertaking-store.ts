import type { Undertaking } from '../../protocol/undertaking.ts';
import type { ListRequest } from './list-request.ts';

export interface UndertakingStore {
  add(undertaking: Undertaking): Promise<void>;
  read(undertakingId: string): Promise<Undertaking | null>;
  /** Newest first. `next`: what to list after for more; null: that was all. */
  list(request: ListRequest): Promise<{ readonly undertakings: Undertaking[]; readonly next: string | null }>;
  /** `conflict`: it is not in the state of `before` any more. */
  change(before: Undertaking, after: Undertaking): Promise<'changed' | 'conflict'>;
}
