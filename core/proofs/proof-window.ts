import { limits } from '../../protocol/limits.ts';

/**
 * Where a used proof is remembered: in the window of time in which it was issued, which is part of what is signed. A window is longer
 * than proofs are good, so at any moment only two of them matter, and two places that take turns hold them: what is in a
 * place of an earlier window is good for nothing any more, and nothing has to be cleared away.
 */
const WINDOW_MS = 3 * limits.requestSkewMs;

export interface ProofWindow {
  readonly window: number;
  readonly place: 0 | 1;
}

export function proofWindow(issuedAt: number): ProofWindow {
  const window = Math.floor(issuedAt / WINDOW_MS);
  return { window, place: window % 2 === 0 ? 0 : 1 };
}
