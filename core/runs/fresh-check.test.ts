import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { FRESH_DEADLINE_MS, type FreshFacts, checkFresh, describeMissing } from './fresh-check.ts';

const feedArbitrary = fc.record({
  feed: fc.constantFrom<FeedName>('Customer@org', 'Voucher Series@org', 'Fraud Users List@org'),
  generation: fc.constantFrom('g1', 'g2'),
  snapshotPosition: fc.option(fc.nat(5)),
  certificate: fc.option(fc.record({ generation: fc.constantFrom('g1', 'g2'), position: fc.nat(5), issuedAt: fc.nat(20) })),
});
const facts: fc.Arbitrary<FreshFacts> = fc.record({
  declaredThrough: fc.nat(5),
  storedThrough: fc.nat(5),
  appliedThrough: fc.nat(5),
  feeds: fc.uniqueArray(feedArbitrary, { selector: ({ feed }) => feed }),
  startedAt: fc.constant(10),
  lastHeardAt: fc.nat(10_000_000),
  now: fc.nat(200_000_000),
});

it('INV-45: is complete exactly when nothing is missing, and everything that is missing is named and asked for', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const { complete, missing, redrive } = checkFresh(given);
      const applied = Math.min(given.appliedThrough, given.storedThrough) >= given.declaredThrough;
      const proved = given.feeds.filter(
        ({ generation, certificate, snapshotPosition }) =>
          certificate !== null &&
          certificate.generation === generation &&
          (certificate.issuedAt >= 10 || (snapshotPosition !== null && certificate.position >= snapshotPosition)),
      );
      expect(complete).toBe(applied && proved.length === given.feeds.length);
      expect(missing.flatMap((one) => ('feed' in one ? [one.feed] : [])).sort()).toEqual(
        given.feeds
          .filter((feed) => !proved.includes(feed))
          .map(({ feed }) => feed)
          .sort(),
      );
      for (const one of missing) {
        expect(describeMissing(one)).toMatch(/yet$/);
        const asked = redrive.some((act) => {
          if (one.what === 'NOT_APPLIED') return act.what === 'RING_DOORBELL';
          if (one.what === 'NO_SNAPSHOT') return act.what === 'COMPACT' && act.feed === one.feed;
          return act.what === 'ASK_STORE' && (one.what === 'NOT_SENT' || act.feeds.includes(one.feed));
        });
        expect(asked).toBe(true);
      }
      if (missing.length === 0) expect(redrive).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

it('says since when nothing was heard, and when it is late', () => {
  const calm: FreshFacts = {
    declaredThrough: 3,
    storedThrough: 2,
    appliedThrough: 1,
    feeds: [],
    startedAt: 0,
    lastHeardAt: 0,
    now: 60_000,
  };
  expect(checkFresh(calm)).toMatchObject({ silentForMs: null, isLate: false, complete: false });
  expect(checkFresh(calm).missing.map((one) => describeMissing(one))).toEqual([
    'operations 3 to 3 of the store were not sent yet',
    'operations 2 to 2 of the store were not applied yet',
  ]);
  expect(checkFresh({ ...calm, now: FRESH_DEADLINE_MS + 1 })).toMatchObject({ silentForMs: FRESH_DEADLINE_MS + 1, isLate: true });
  expect(checkFresh({ ...calm, declaredThrough: 0, now: FRESH_DEADLINE_MS + 1 })).toMatchObject({ complete: true, isLate: false });
});
