import { expect, test } from 'vitest';
import type { ProofMemory } from '../../core/ports/proof-memory.ts';
import { limits } from '../../protocol/limits.ts';

/** What every memory of proofs promises. `fresh` gives an unused replica id. */
export function proofMemorySuite(open: () => ProofMemory, fresh: () => string): void {
  const now = 1_790_000_000_000;

  test('INV-54: a proof is used once, also by many at the same moment, and by each replica', async () => {
    const memory = open();
    const [replicaId, other] = [fresh(), fresh()];
    const use = (id: string, issuedAt = now, who = replicaId) => memory.use({ replicaId: who, id, issuedAt });
    const first = await Promise.all(Array.from({ length: 8 }, () => use('a')));
    expect(first.filter(Boolean)).toHaveLength(1);
    const many = await Promise.all(Array.from({ length: 8 }, (_, index) => use(`b${index}`)));
    expect(many).toEqual(many.map(() => true));
    expect(await use('b3')).toBe(false);
    expect(await use('a', now, other)).toBe(true);
  });

  test('INV-54: it is remembered for as long as it is good, whatever comes between', async () => {
    const memory = open();
    const replicaId = fresh();
    const use = (id: string, issuedAt: number) => memory.use({ replicaId, id, issuedAt });
    // The earliest and the latest that are good at one moment, and every one between.
    const issued = [-1, -0.5, 0, 0.5, 1].map((part) => now + part * limits.requestSkewMs);
    for (const [index, at] of issued.entries()) expect(await use(`c${index}`, at)).toBe(true);
    for (const [index, at] of issued.entries()) expect(await use(`c${index}`, at)).toBe(false);
    // Long after that their places hold others, and what is as old as they are is not taken any more.
    for (const windows of [3, 6]) expect(await use('later', now + windows * 2 * limits.requestSkewMs)).toBe(true);
    for (const [index, at] of issued.entries()) expect(await use(`c${index}`, at)).toBe(false);
  });
}
