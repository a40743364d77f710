import fc from 'fast-check';
import { expect, it } from 'vitest';
import { COMPONENT_NAMES, type ComponentName } from '../../protocol/catalogue/types.ts';
import { STANDING_STATES } from '../../protocol/runs.ts';
import { expectedContact } from './expected.ts';
import { FRESHNESS, type Standing, type StandingFacts, safeActivities, standingOf } from './standing.ts';

const facts: fc.Arbitrary<StandingFacts> = fc.record({
  component: fc.constantFrom(...COMPONENT_NAMES),
  wasAsked: fc.boolean(),
  isProved: fc.boolean(),
  needsResync: fc.boolean(),
  isBehind: fc.boolean(),
  issues: fc.nat(1),
  askedAt: fc.option(fc.nat(100_000_000)),
  now: fc.constant(100_000_000),
});

it('every standing is reached and none that is not listed; work without a network only after a complete load', () => {
  const states = new Set<string>();
  const colours = new Set<string>();
  fc.assert(
    fc.property(facts, (given) => {
      const { state, freshness, verified, safeOffline } = standingOf(given);
      states.add(state);
      colours.add(freshness);
      expect(safeOffline).toBe(['IN_SYNC', 'BEHIND', 'DEGRADED'].includes(state));
      if (safeOffline) expect(verified).toBe(true);
      if (freshness !== 'RED') expect(given.askedAt).not.toBeNull();
    }),
    { numRuns: 2_000, seed: 5 },
  );
  expect([...states].sort()).toEqual([...STANDING_STATES].sort());
  expect([...colours].sort()).toEqual([...FRESHNESS].sort());
});

it('a colour follows from the age and the target of the component', () => {
  const at = (component: ComponentName, minutes: number) =>
    standingOf({
      component,
      wasAsked: true,
      isProved: true,
      needsResync: false,
      isBehind: false,
      issues: 0,
      askedAt: 0,
      now: minutes * 60_000,
    }).freshness;
  expect([at('Tasks', 5), at('Tasks', 6), at('Tasks', 21)]).toEqual(['GREEN', 'AMBER', 'RED']);
  expect([at('Stores', 1_440), at('Stores', 1_441)]).toEqual(['GREEN', 'AMBER']);
});

it('what is safe needs every component that it is done with', () => {
  const fine: Standing = { state: 'IN_SYNC', freshness: 'GREEN', verified: true, safeOffline: true };
  const standings = new Map(COMPONENT_NAMES.map((name) => [name, fine]));
  expect(safeActivities(standings)).toEqual({ sell: true, showPoints: true, redeemCoupons: true, redeemPoints: true });
  standings.set('Fraud Users List', { ...fine, safeOffline: false });
  expect(safeActivities(standings)).toEqual({ sell: true, showPoints: true, redeemCoupons: false, redeemPoints: false });
  expect(safeActivities(new Map())).toEqual({ sell: false, showPoints: false, redeemCoupons: false, redeemPoints: false });
});

it('a store is overdue when it was not heard of for longer than it may be', () => {
  const lastHeardAt = '2026-11-23T10:00:00.000Z';
  const at = (hours: number) => expectedContact({ lastHeardAt, everyHours: 48, now: Date.parse(lastHeardAt) + hours * 3_600_000 });
  expect(at(48)).toEqual({ expectedBy: '2026-11-25T10:00:00.000Z', isOverdue: false });
  expect(at(48.1).isOverdue).toBe(true);
});
