import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collections } from '../../protocol/catalogue/catalogue.ts';
import { type Operation, operationSchema } from '../../protocol/operation.ts';
import { TestOutbox } from '../../test/fixtures/operations.ts';
import { UploadWorld } from '../../test/fixtures/upload-world.ts';

/**
 * Operations that get in at the door, by their schema and with a chain of their own, and are as odd as can be: each has a verdict by a rule.
 * `QUARANTINED` would be a rule that broke.
 */
const names = [...new Set(collections.flatMap(({ fields }) => fields.map(({ name }) => name))), '__proto__', 'constructor'];
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '-0', '1e400', '9'.repeat(400), '2026-02-30', 'S1', 'c1', 'p', '[', '{"__proto__":1}', '\uD800', 'OPTIN', 'null'),
  fc.constantFrom(0, -0, -1, 1.5, Number.MAX_SAFE_INTEGER),
  fc.boolean(),
  fc.constant(null),
);
const odd = fc.record({
  collection: fc.constantFrom(...collections.map(({ name }) => name), 'nobody', 'toString'),
  key: fc.constantFrom('c1', 'c1/p', 'T1/1', 'a/b/c/d/e/f', '__proto__', '/', 'é'),
  kind: fc.constantFrom('put' as const, 'delete' as const),
  fields: fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 12 }),
  base: fc.constantFrom(0, 1, 1_790_000_000_000, Number.MAX_SAFE_INTEGER),
  clock: fc.constantFrom(0, 1, 1_790_000_000_000_000, Number.MAX_SAFE_INTEGER),
});

test('INV-14: whatever gets in is judged by a rule, and what stands is still what it was or fits the catalogue', async () => {
  let judged = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(odd, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('core' as const, 'clienteling' as const),
      async (many, edition) => {
        const world = new UploadWorld();
        const replicaId = world.replica('S1', edition);
        world.edit('customer', { user_id: 'c1', firstname: 'Ann' });
        world.edit('loyalty_summary', { user_id: 'c1', program_id: 'p', points: '100' });
        const outbox = new TestOutbox(world.now);
        for (const part of many) {
          const [operation] = [outbox.add(part)];
          if (!operationSchema.safeParse(operation).success) outbox.operations.pop();
        }
        const receipts = await world.send(replicaId, outbox);
        expect(receipts.map(({ seq }) => seq)).toEqual(outbox.operations.map(({ seq }: Operation) => seq));
        judged += receipts.length;
        for (const { status, reason } of receipts) expect([status, reason]).not.toEqual(['QUARANTINED', expect.anything()]);
        expect(world.record('loyalty_summary', 'c1/p')?.fields['points']).toBe('100');
      },
    ),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_500) },
  );
  expect(judged).toBeGreaterThan(1_000);
});
