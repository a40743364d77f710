import type { Clock } from '../../core/ports/clock.ts';
import type { UndertakingStore } from '../../core/ports/undertaking-store.ts';
import { isUnderWay } from '../../core/undertakings/undertaking.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Undertaking, UndertakingKind } from '../../protocol/undertaking.ts';

export interface StepDeps {
  readonly undertakings: Pick<UndertakingStore, 'read'>;
  readonly clock: Clock;
}

/** A step that changes something is one of an undertaking that stands in the audit, and is approved where two people are needed (INV-50). */
export async function takenStep(
  { undertakings, clock }: StepDeps,
  undertakingId: string | undefined,
  matter: { readonly kind: UndertakingKind; readonly subject: string },
): Promise<Undertaking> {
  const found = undertakingId === undefined ? null : await undertakings.read(undertakingId);
  if (found === null || !isUnderWay(found, { ...matter, now: clock.now() }))
    throw new SyncError('FORBIDDEN', `no ${matter.kind} of this is under way; begin it with the command line, and it stands in the audit`);
  return found;
}
