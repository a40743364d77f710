import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { must } from '../../protocol/assert.ts';
import { type FieldState, mergeField } from './merge-field.ts';

const collection = collectionOf('customer');
const field = must(
  collection.fields.find(({ name }) => name === 'firstname'),
  'customers have a first name',
);

function arrive(current: FieldState, change: FieldState): FieldState {
  const merged = mergeField({ collection, field, current, change });
  if (merged.outcome === 'set') return { value: merged.value, clock: change.clock };
  return merged.outcome === 'same' && merged.isConfirmed ? { ...current, clock: change.clock } : current;
}

test('INV-19: whatever the order in which changes arrive, the latest stays; also when it said what stood already', () => {
  const change = fc.record({ value: fc.constantFrom('Ann', 'Bea'), clock: fc.nat(1_000) });
  fc.assert(
    fc.property(
      fc.uniqueArray(change, { minLength: 1, maxLength: 6, selector: ({ clock }) => clock }),
      fc.infiniteStream(fc.nat()),
      (changes, salt) => {
        const latest = must(changes.toSorted((a, b) => b.clock - a.clock)[0], 'there is one');
        const order = changes
          .map((one) => ({ one, at: salt.next().value as number }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ one }) => one);
        const end = order.reduce(arrive, { value: null, clock: -1 });
        expect(end).toEqual(latest);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a change that comes twice confirms nothing', () => {
  const stands = { value: 'Ann', clock: 5 };
  expect(mergeField({ collection, field, current: stands, change: stands })).toEqual({ outcome: 'same', isConfirmed: false });
});
