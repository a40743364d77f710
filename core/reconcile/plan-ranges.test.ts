import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chunk } from '../../protocol/manifest.ts';
import { type OwnRange, planRanges } from './plan-ranges.ts';

const chunk = (from: string, digest: string, tombstones = 0): Chunk => ({
  from,
  sha256: digest.repeat(64).slice(0, 64),
  bytes: 1,
  rawBytes: 1,
  rows: 1,
  tombstones,
  digest: digest.repeat(64).slice(0, 64),
  content: 'c'.repeat(64),
});
const own = (digest: string, tombstones = 0): OwnRange => ({ rows: 1, digest: digest.repeat(64).slice(0, 64), tombstones });

describe('planRanges', () => {
  it('replaces exactly the ranges that differ and clears what the manifest does not have', () => {
    const manifest = { collections: [{ collection: 'customer', chunks: [chunk('', 'a'), chunk('m', 'b'), chunk('t', 'c')] }] };
    const plan = planRanges({ manifest, own: [own('a'), own('x'), own('c')], held: ['customer', 'bill'] });
    expect(plan.replace.map((range) => [range.from, range.to])).toEqual([['m', 't']]);
    expect(plan).toMatchObject({ clear: ['bill'], kept: 2 });
  });

  it('INV-06: fetches a range with equal rows when it brings deletions the replica does not know', () => {
    const manifest = { collections: [{ collection: 'customer', chunks: [chunk('', 'a', 2)] }] };
    expect(planRanges({ manifest, own: [own('a', 1)], held: [] }).replace).toHaveLength(1);
    expect(planRanges({ manifest, own: [own('a', 2)], held: [] }).replace).toHaveLength(0);
    expect(planRanges({ manifest, own: [own('a', 5)], held: [] }).replace).toHaveLength(0);
  });

  it('keeps every range of a replica that is right, and replaces every range of one that holds nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 }), (digests) => {
        const chunks = digests.map((digest, index) => chunk(index === 0 ? '' : `k${index}`, digest));
        const manifest = { collections: [{ collection: 'customer', chunks }] };
        expect(planRanges({ manifest, own: digests.map((digest) => own(digest)), held: ['customer'] }).replace).toEqual([]);
        const empty = digests.map(() => ({ rows: 0, digest: 'e'.repeat(64), tombstones: 0 }));
        expect(planRanges({ manifest, own: empty, held: [] }).replace).toHaveLength(digests.length);
      }),
    );
  });
});
