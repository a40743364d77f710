import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CHAIN_START, type Operation } from '../../protocol/operation.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';
import { nextBatch } from './next-batch.ts';

const operation = (seq: number, text: string): Operation => ({
  seq,
  opId: '0199d6a2-0000-7000-8000-000000000000',
  collection: 'customer',
  key: 'c1',
  kind: 'put',
  fields: { firstname: text },
  base: 0,
  clock: 0,
  chain: CHAIN_START,
});

test('batches are in order, within both limits, leave nothing out, and always get on', () => {
  const texts = fc.array(fc.string({ maxLength: 400, unit: 'grapheme' }), { maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 700, max: 3_000 }), (list, operationsMax, bytesMax) => {
      const all = list.map((text, index) => operation(index + 1, text));
      const sent: Operation[] = [];
      while (sent.length < all.length) {
        const batch = nextBatch(all.slice(sent.length), { operationsMax, bytesMax });
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(operationsMax);
        if (batch.length > 1) expect(utf8Bytes(JSON.stringify(batch))).toBeLessThanOrEqual(bytesMax);
        sent.push(...batch);
      }
      expect(sent).toEqual(all);
    }),
  );
});
