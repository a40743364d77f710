import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capturePut } from '../core/outbox/capture.ts';
import { ENTRY_STATUSES, isOpen } from '../core/outbox/entry.ts';
import { clockAt } from '../core/outbox/hybrid-clock.ts';
import type { MainRecord } from '../core/ports/record-store.ts';
import { planStep } from '../core/upload/plan-step.ts';
import { withheldFields } from '../core/withheld-fields.ts';
import { collections } from '../protocol/catalogue/catalogue.ts';
import { type Fields, keyOf, parseRecord } from '../protocol/catalogue/record.ts';
import type { Collection } from '../protocol/catalogue/types.ts';
import {
  ATTRIBUTE_STATUSES,
  type Operation,
  type OperationValue,
  type Receipt,
  RECEIPT_STATUSES,
  WAITING_STATUSES,
} from '../protocol/operation.ts';
import { upChangeOf } from '../protocol/sync-details/occurring.ts';
import { HELD_ATTRIBUTE_STATUSES } from '../protocol/sync-details/statuses.ts';
import { syncDetails } from '../protocol/sync-details/sync-details.ts';
import { recordArbitrary } from './fixtures/record-arbitrary.ts';
import { Random } from './simulation/world/random.ts';

/**
 * Data Sync Details against what the product does: head office's decisions over any operation give the statuses that are
 * listed and no others, and each that is listed occurs; the store's capture takes the fields that are listed as going up.
 */
const details = syncDetails();
const own = details.components.flatMap((component) => component.collections);
const uploaded = collections.filter(({ direction }) => direction !== 'down').map((collection) => [collection.name, collection] as const);
const listed = (collection: Collection) => own.find(({ name }) => name === collection.name)!;

const NOW = 1_790_000_000_000;
const REV = NOW - 60_000;
const STORE = 'S1';

test('the statuses of records and attributes are those of the product', () => {
  const { recordUp, attribute, notGivenYet } = details.statuses;
  const up = recordUp.map(({ status }): string => status);
  expect([...up, ...notGivenYet.filter((word) => (ENTRY_STATUSES as readonly string[]).includes(word))].sort()).toEqual(
    [...ENTRY_STATUSES].sort(),
  );
  const attributes = attribute
    .map(({ status }): string => status)
    .filter((status) => !(HELD_ATTRIBUTE_STATUSES as readonly string[]).includes(status) || status === 'AWAITING_APPROVAL');
  expect([...attributes, ...notGivenYet.filter((word) => (ATTRIBUTE_STATUSES as readonly string[]).includes(word))].sort()).toEqual(
    [...ATTRIBUTE_STATUSES].sort(),
  );
  // Who has to act is said as the outbox has it: what waits for a person, or a record, is open; what nobody acts on is closed.
  for (const { status, next } of recordUp) {
    expect(next === 'person', status).toBe(isOpen(status) && status !== 'HELD');
    expect(next === 'system', status).toBe((WAITING_STATUSES as readonly string[]).includes(status) || status === 'HELD');
  }
});

describe.each(uploaded)('%s', (_, collection) => {
  const { recordStatuses, attributes } = listed(collection);

  test('head office decides on statuses that are listed, and on each of them', () => {
    const seen = new Set<string>();
    const claimed = new Set([
      ...recordStatuses.up.filter((status) => (RECEIPT_STATUSES as readonly string[]).includes(status)),
      ...attributes.flatMap(({ name, statuses }) =>
        statuses
          .filter(({ status }) => (ATTRIBUTE_STATUSES as readonly string[]).includes(status))
          .map(({ status }) => `${name} ${status}`),
      ),
    ]);
    // Only a person discards, and only what is open; that is not decided here.
    for (const closed of ['DISCARDED', 'CORRECTED']) expect(claimed.delete(closed)).toBe(true);
    const missing = () => [...claimed].filter((one) => !seen.has(one));
    const judge = fc.property(recordArbitrary(collection), recordArbitrary(collection), fc.integer(), (first, second, seed) => {
      const receipt = decided(collection, { first, second }, new Random(seed));
      const given = [receipt.status, ...receipt.attributes.filter(isKnown).map(({ field, status }) => `${field} ${status}`)];
      for (const one of given) seen.add(one);
      expect(given.filter((one) => !claimed.has(one as never))).toEqual([]);
    });
    // Some are rare: as often as it takes, within reason.
    for (let batch = 0; batch < 15 && (batch === 0 || missing().length > 0); batch += 1) fc.assert(judge, { numRuns: 1_000 });
    expect(missing()).toEqual([]);
  });

  /** A store may also name what is no attribute, and then hears so. */
  function isKnown({ field }: { readonly field: string }): boolean {
    return attributes.some(({ name }) => name === field);
  }

  test('a store records the attributes that are listed as going up, and changes those that may change', () => {
    const whole = fc.tuple(completeRecord(collection), completeRecord(collection));
    const terms = { edition: 'clienteling' as const, withheld: [] };
    const isFact = ['AO', 'RC', 'GS'].includes(collection.rule);
    fc.assert(
      fc.property(whole, ([before, other]) => {
        for (const { name, up, key, required } of attributes) {
          const must = Object.fromEntries(
            collection.fields.filter((field) => field.required).map((field) => [field.name, before[field.name]]),
          );
          const made = capturePut({
            collection,
            record: { ...must, [name]: before[name] },
            seen: { fields: null, pending: false, base: 0 },
            terms,
          });
          expect(made.outcome === 'write', `${name} with a new record`).toBe(up !== 'never');
          if (key) continue;
          const address = Object.fromEntries(collection.key.map((part) => [part, before[part]]));
          const change = { ...address, [name]: other[name] };
          const changed = capturePut({ collection, record: change, seen: { fields: before, pending: false, base: 1 }, terms });
          if (before[name] !== other[name]) expect(changed.outcome === 'write', `${name} changed`).toBe(up === 'changed');
          if (required || isFact) continue;
          const { [name]: __, ...without } = before;
          const set = capturePut({ collection, record: change, seen: { fields: without, pending: false, base: 1 }, terms });
          expect(set.outcome === 'write', `${name} set later`).toBe(up === 'once' || up === 'changed');
        }
      }),
      { numRuns: 20 },
    );
  });
});

test('what does not go up is not captured, and is refused by head office', () => {
  for (const collection of collections.filter(({ direction }) => direction === 'down')) {
    fc.assert(
      fc.property(recordArbitrary(collection), fc.integer(), (record, seed) => {
        const { status, attributes } = decided(collection, { first: record, second: record }, new Random(seed));
        expect(['REJECTED', 'QUARANTINED']).toContain(status);
        expect(attributes).toEqual([]);
      }),
      { numRuns: 20 },
    );
  }
});

function completeRecord(collection: Collection): fc.Arbitrary<Fields> {
  const full = { ...collection, fields: collection.fields.map((field) => ({ ...field, required: true })) };
  return recordArbitrary(full).map((input) => canonical(collection, input));
}

function canonical(collection: Collection, input: unknown): Fields {
  const parsed = parseRecord(collection, input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.fields;
}

/** What head office decides on some operation: of a new record or one that is there, whole or in part, right or wrong. */
function decided(
  collection: Collection,
  inputs: { readonly first: Record<string, unknown>; readonly second: Record<string, unknown> },
  random: Random,
): Receipt {
  const wanted = usable(collection, canonical(collection, inputs.first), random);
  const other = canonical(collection, inputs.second);
  const key = keyOf(collection, wanted);
  const standing = standingRecord(collection, { key, wanted, other }, random);
  const operation: Operation = {
    seq: 1,
    opId: '01930000-0000-7000-8000-000000000001',
    collection: collection.name,
    key: random.chance(0.97) ? key : `${key}x`,
    kind: random.chance(0.97) ? 'put' : 'delete',
    fields: sentFields(collection, { wanted, other }, random),
    base: random.of([0, REV, REV - 1]),
    clock: clockAt(random.of([1, NOW - 3_600_000, NOW])),
    chain: '0'.repeat(64),
  };
  const withheld = random.chance(0.5) ? withheldFields([]) : [];
  const [receipt] = planStep({
    replicaId: 'r',
    operations: [operation],
    records: { get: (name, id) => (name === collection.name && id === operation.key ? standing : otherRecord(name, id, random)) },
    now: NOW,
    store: { storeId: STORE, edition: 'clienteling' },
    settings: { scopes: {}, withheld: new Set(withheld) },
    setAside: new Set(random.chance(0.02) ? [operation.opId] : []),
  }).receipts;
  if (receipt === undefined) throw new Error('an operation has a receipt');
  return receipt;
}

/** Of this store, and a redemption such as one might make. */
function usable(collection: Collection, fields: Fields, random: Random): Fields {
  const more: Record<string, string> = {};
  if (collection.scope.by === 'store' && random.chance(0.95)) more[collection.scope.field] = STORE;
  if (fields['store_code'] !== undefined && random.chance(0.95)) more['store_code'] = STORE;
  if (collection.rule === 'RC') {
    if (collection.name === 'points_redemption') Object.assign(more, { points_redeemed: '5', program_id: 'p' });
    else Object.assign(more, { coupon_id: 'k', redemption_time: '2026-11-23T08:00:00Z' });
  }
  return { ...fields, ...more };
}

function standingRecord(
  collection: Collection,
  { key, wanted, other }: { readonly key: string; readonly wanted: Fields; readonly other: Fields },
  random: Random,
): MainRecord | null {
  if (random.chance(0.4)) return null;
  const deleted = random.chance(0.1);
  const rate = random.of([0, 0.1, 0.5]);
  const names = collection.fields.map(({ name }) => name);
  const fields = names.flatMap((name): [string, Fields[string]][] => {
    const isFixed = collection.key.includes(name) || !random.chance(rate);
    const value = isFixed ? wanted[name] : random.chance(0.5) ? other[name] : undefined;
    return value === undefined ? [] : [[name, value]];
  });
  const clocks = names.map((name): [string, number] => [name, clockAt(random.of([2, NOW - 1_000]))]);
  return { ...mainRecord(collection.name, key, deleted ? {} : Object.fromEntries(fields)), deleted, clocks: Object.fromEntries(clocks) };
}

/** Some as they are, some of another record, some taken away, some wrong; all, or a part of them. */
function sentFields(
  collection: Collection,
  { wanted, other }: { readonly wanted: Fields; readonly other: Fields },
  random: Random,
): Record<string, OperationValue> {
  const [wrong, missing] = [random.of([0, 0, 0.1, 0.4]), random.of([0, 0, 0.2, 0.7])];
  const fields: Record<string, OperationValue> = {};
  // Half of the stores send what an agent would, which leaves out what head office sets.
  const sendable = random.chance(0.5) ? collection.fields : collection.fields.filter((field) => upChangeOf(collection, field) !== 'never');
  for (const { name } of sendable) {
    const value = wanted[name];
    if (random.chance(missing)) continue;
    if (random.chance(wrong)) fields[name] = random.of<OperationValue>([null, '\0', other[name] ?? null]);
    else if (value !== undefined) fields[name] = value;
  }
  if (random.chance(0.02)) fields['no_such_attribute'] = 'x';
  return fields;
}

/** What an operation is judged by besides its own record: mostly there. */
function otherRecord(collection: string, key: string, random: Random): MainRecord | null {
  if (collection === 'fraud_user' || random.chance(0.2)) return null;
  if (collection === 'loyalty_summary') return mainRecord(collection, key, { user_id: 'u', program_id: 'p', available_points: '100' });
  if (collection === 'coupon')
    return mainRecord(collection, key, { coupon_id: key, code: 'K', series_id: 's', redemptions_left: random.of([0, 3]) });
  if (collection === 'coupon_series') return mainRecord(collection, key, { series_id: key, any_user: true });
  return mainRecord(collection, key, {});
}

function mainRecord(collection: string, key: string, fields: Fields): MainRecord {
  return { collection, key, rev: REV, scopes: ['org'], deleted: false, updatedAt: new Date(REV).toISOString(), fields };
}
