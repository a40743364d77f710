import type { ProofMemory } from '../../../core/ports/proof-memory.ts';
import { proofWindow } from '../../../core/proofs/proof-window.ts';

export class MemoryProofMemory implements ProofMemory {
  readonly #places = new Map<string, { window: number; seen: Set<string> }>();

  use({ replicaId, id, issuedAt }: { replicaId: string; id: string; issuedAt: number }): Promise<boolean> {
    const { window, place } = proofWindow(issuedAt);
    const key = `${replicaId} ${place}`;
    const known = this.#places.get(key);
    if (known === undefined || known.window < window) {
      this.#places.set(key, { window, seen: new Set([id]) });
      return Promise.resolve(true);
    }
    if (known.window > window || known.seen.has(id)) return Promise.resolve(false);
    known.seen.add(id);
    return Promise.resolve(true);
  }
}
