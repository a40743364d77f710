/** Which proofs were used, for as long as they are good. */
export interface ProofMemory {
  /** false: this one was used before. `issuedAt`: ms, as the proof says it. */
  use(proof: { readonly replicaId: string; readonly id: string; readonly issuedAt: number }): Promise<boolean>;
}
