import { expect, test } from 'vitest';
import type { MainRecord } from '../ports/record-store.ts';
import { routeChange } from './route-change.ts';

const settings = { withheld: new Set(['customer.dob']) };
const customer = (rev: number, firstname: string, more: Partial<MainRecord> = {}): MainRecord => ({
  collection: 'customer',
  key: '7',
  rev,
  scopes: ['org'],
  deleted: false,
  updatedAt: '2026-11-23T08:00:00.000Z',
  fields: { user_id: '7', firstname },
  ...more,
});
const route = (before: unknown, after: unknown) => routeChange({ sequenceNumber: '1', at: 1_000, before, after }, settings);

test('INV-07: a change without a new revision is stale, to be raised above both revisions and to the time of the change', () => {
  const stale = { collection: 'customer', key: '7' };
  expect(route(customer(5, 'a'), customer(5, 'b'))).toEqual({ kind: 'changes', changes: [], stale: { ...stale, rev: 5, raiseTo: 1_001 } });
  expect(route(customer(5_000, 'a'), customer(3, 'b'))).toMatchObject({ changes: [], stale: { ...stale, rev: 3, raiseTo: 5_002 } });
  expect(route(customer(5_000, 'a'), customer(5_000, 'a', { deleted: true, fields: {} }))).toMatchObject({ stale: { raiseTo: 5_002 } });
});

test('an image that says nothing new is not stale: it is put again and ignored by who has it', () => {
  const routed = route(customer(5, 'a'), customer(5, 'a', { updatedAt: 'later' }));
  expect(routed).toMatchObject({ kind: 'changes', stale: null, changes: [{ feed: 'Customer@org', key: '7', rev: 5 }] });
});

test('INV-08: what is withheld is left out, and a removal by hand is a tombstone above what was there', () => {
  const routed = route(null, customer(5, 'a', { fields: { user_id: '7', firstname: 'a', dob: '1980-01-01' } }));
  expect(routed).toMatchObject({ changes: [{ fields: { user_id: '7', firstname: 'a' } }] });
  expect(JSON.stringify(routed)).not.toContain('1980');
  expect(route(customer(5, 'a'), null)).toMatchObject({ changes: [{ key: '7', rev: 1_000, fields: null }], stale: null });
  expect(route(customer(5_000, 'a'), null)).toMatchObject({ changes: [{ rev: 5_001 }] });
});

test.each([
  ['no collection', { ...customer(5, 'a'), collection: 'nothing' }, /unknown collection/],
  ['a key that is not of its fields', { ...customer(5, 'a'), key: '8' }, /the key is not/],
  ['no revision', { ...customer(5, 'a'), rev: 'x' }, /rev/],
  ['a scope nobody has', { ...customer(5, 'a'), scopes: ['planet'] }, /scope/],
  ['a scope too long for a feed', { ...customer(5, 'a'), scopes: [`store:${'s'.repeat(201)}`] }, /scope/],
  ['a key no record has', { ...customer(5, 'a'), deleted: true, key: 'k'.repeat(1_025) }, /key: has more than 1024 bytes/],
])('poison: %s', (_, image, reason) => {
  expect(route(null, image)).toEqual({ kind: 'poison', reason: expect.stringMatching(reason) as string, changes: [] });
});

const associate = (rev: number, store: string, more: object = {}) => ({
  collection: 'associate',
  key: 'a',
  rev,
  scopes: [`store:${store}`],
  fields: { associate_id: 'a', code: 'a', store_code: store },
  ...more,
});
const unreadable = { fields: { associate_id: 'a', colour: 'red' } };
const removalFromS1 = { feed: 'Associates@store:S1', collection: 'associate', key: 'a', fields: null };

test('INV-08: the old scope loses what moved, also when the old image is no record of the catalogue', () => {
  const stale = { collection: 'associate', key: 'a', rev: 6, raiseTo: 1_001 };
  expect(route(associate(5, 'S1', unreadable), associate(6, 'S2'))).toEqual({
    kind: 'changes',
    changes: [{ ...removalFromS1, rev: 1_000 }],
    stale,
  });
  expect(route(associate(5, 'S1', { ...unreadable, rev: 'x' }), associate(6, 'S2'))).toMatchObject({
    changes: [{ ...removalFromS1, rev: 1_000 }],
    stale,
  });
  expect(route(associate(5, 'S1', unreadable), null)).toMatchObject({ changes: [{ ...removalFromS1, rev: 1_000 }] });
});

test('INV-08: the old scope loses what moved, also when the new image is no record of the catalogue', () => {
  expect(route(associate(5, 'S1'), associate(6, 'S2', unreadable))).toMatchObject({
    kind: 'poison',
    changes: [{ ...removalFromS1, rev: 1_000 }],
  });
  expect(route(associate(5_000, 'S1'), associate(6_000, 'S2', unreadable))).toMatchObject({ changes: [{ ...removalFromS1, rev: 6_000 }] });
  expect(route(associate(5, 'S1'), associate(6, 'S1', unreadable))).toMatchObject({ kind: 'poison', changes: [] });
  expect(route(associate(5, 'S1'), { rev: 6 })).toMatchObject({ kind: 'poison', changes: [] });
});

test('INV-07: what follows an image that is no record is above every revision a store can hold', () => {
  expect(route(associate(6, 'S1', unreadable), associate(7, 'S1'))).toMatchObject({ changes: [], stale: { rev: 7, raiseTo: 1_001 } });
  expect(route({ nothing: true }, associate(7, 'S1'))).toMatchObject({ changes: [], stale: { rev: 7, raiseTo: 1_001 } });
  expect(route(associate(7, 'S1'), associate(1_000, 'S1'))).toMatchObject({ stale: null });
});
