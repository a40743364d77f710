import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Undertaking } from '../../protocol/undertaking.ts';
import type { Actor } from '../ports/audit-log.ts';
import { UNDERTAKING_LIFE_MS, type UndertakingAct, askedFor, decideUndertaking, isUnderWay, stateAt } from './undertaking.ts';

const START = Date.parse('2026-11-28T10:00:00.000Z');
const actor = fc.record({
  // A person may have had another name before.
  name: fc.constantFrom('ann', 'bob', 'ann of before'),
  subject: fc.constantFrom('u1', 'u2', 'u3'),
  role: fc.constantFrom('operator', 'admin', 'admin', 'admin'),
  via: fc.constantFrom('OIDC', 'OIDC', 'IAM'),
}) satisfies fc.Arbitrary<Actor>;
const step = fc.record({
  act: fc.constantFrom<UndertakingAct>('APPROVE', 'REJECT', 'CARRY_OUT', 'END'),
  actor,
  waitMs: fc.oneof(fc.integer({ min: 0, max: 3_600_000 }), fc.integer({ min: 0, max: 2 * UNDERTAKING_LIFE_MS })),
});

const asked = { undertakingId: '01890000-0000-7000-8000-000000000001', kind: 'rebuild', subject: 'Customer', reason: 'lost' } as const;
const ann: Actor = { name: 'ann', subject: 'u1', role: 'admin', via: 'OIDC' };
const bob: Actor = { name: 'bob', subject: 'u2', role: 'admin', via: 'OIDC' };

interface Reach {
  readonly stores?: number;
  readonly storesMin?: number | null;
}

function ask(by: Actor, { stores = 5, storesMin = 5 }: Reach = {}): Undertaking | null {
  const verdict = askedFor({ ...asked, actor: by, stores, storesMin, now: START });
  return verdict.kind === 'allowed' ? verdict.after : null;
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Yes {
  readonly actor: Actor;
  readonly at: number;
}

function expectTwo(by: Actor, yes: Yes | null): void {
  expect([by.via, yes?.actor.via, yes?.actor.role]).toEqual(['OIDC', 'OIDC', 'admin']);
  expect(yes?.actor.subject).not.toBe(by.subject);
  expect((yes?.at ?? Number.NaN) - START).toBeLessThan(UNDERTAKING_LIFE_MS);
}

/** Takes the steps one after the other, and looks after each whether a step of the work itself would be let through now. */
function expectGuarded(begun: Undertaking, { by, isForTwo }: { by: Actor; isForTwo: boolean }, steps: readonly Step[]): void {
  let standing = begun;
  let now = START;
  let yes: Yes | null = null;
  let startedAt = standing.state === 'STARTED' ? START : null;
  let ends = 0;
  for (const { act, actor: who, waitMs } of steps) {
    now += waitMs;
    const verdict = decideUndertaking(standing, act, { actor: who, now });
    if (verdict.kind === 'allowed') {
      standing = verdict.after;
      if (act === 'APPROVE') yes = { actor: who, at: now };
      if (act === 'END') ends += 1;
      if (act === 'CARRY_OUT') startedAt ??= now;
    }
    if (!isUnderWay(standing, { ...asked, now })) continue;
    expect(by.role).toBe('admin');
    expect(now - (startedAt ?? Number.NaN)).toBeLessThan(UNDERTAKING_LIFE_MS);
    if (isForTwo) expectTwo(by, yes);
  }
  expect(ends).toBeLessThanOrEqual(1);
}

describe('INV-50: who may do what with an undertaking, and when', () => {
  test('whatever is tried, by whom and when: no step without two people whom the provider tells apart, and none after its time', () => {
    const reach = fc.record({ stores: fc.integer({ min: 1, max: 9 }), storesMin: fc.option(fc.integer({ min: 1, max: 9 })) });
    fc.assert(
      fc.property(actor, reach, fc.array(step, { maxLength: 8 }), (by, asksFor, steps) => {
        const standing = ask(by, asksFor);
        if (standing !== null) expectGuarded(standing, { by, isForTwo: asksFor.stores >= (asksFor.storesMin ?? Infinity) }, steps);
      }),
      { numRuns: 3_000 },
    );
  });

  test('the way it is meant: asked, approved by another, carried out, gone on with, over', () => {
    let standing = ask(ann);
    const states = [standing?.state];
    for (const [act, who] of [
      ['APPROVE', bob],
      ['CARRY_OUT', ann],
      ['CARRY_OUT', ann],
      ['END', ann],
      ['CARRY_OUT', ann],
      ['APPROVE', bob],
    ] as const) {
      const verdict = decideUndertaking(standing as Undertaking, act, { actor: who, now: START + 1_000 });
      if (verdict.kind === 'allowed') standing = verdict.after;
      states.push(verdict.kind === 'allowed' ? verdict.after.state : 'EXPIRED');
    }
    expect(states).toEqual(['WAITING', 'APPROVED', 'STARTED', 'STARTED', 'DONE', 'EXPIRED', 'EXPIRED']);
  });

  test('fewer stores than the organization names, or none named: one is enough, and it is under way at once', () => {
    expect(ask(ann, { stores: 4 })?.state).toBe('STARTED');
    expect(ask({ ...ann, via: 'IAM' }, { storesMin: null })?.state).toBe('STARTED');
    expect(ask({ ...ann, via: 'IAM' })).toBeNull();
    expect(ask({ ...ann, role: 'operator' }, { storesMin: null })).toBeNull();
  });

  test('a day is a day: what waits, what is approved and what was begun end by themselves; who asked may take it back', () => {
    const waiting = ask(ann) as Undertaking;
    expect(stateAt(waiting, START + UNDERTAKING_LIFE_MS - 1)).toBe('WAITING');
    expect(stateAt(waiting, START + UNDERTAKING_LIFE_MS)).toBe('EXPIRED');
    const late = decideUndertaking(waiting, 'APPROVE', { actor: bob, now: START + UNDERTAKING_LIFE_MS });
    expect(late).toMatchObject({ kind: 'refused', why: 'it is EXPIRED' });
    expect(decideUndertaking(waiting, 'REJECT', { actor: ann, now: START })).toMatchObject({ after: { state: 'REJECTED' } });
  });

  test('it is good for what it was asked for and nothing else', () => {
    const started = ask(ann, { storesMin: null }) as Undertaking;
    expect(isUnderWay(started, { kind: 'rebuild', subject: 'Customer', now: START })).toBe(true);
    expect(isUnderWay(started, { kind: 'rebuild', subject: 'Stores', now: START })).toBe(false);
    expect(isUnderWay(started, { kind: 'erase', subject: 'Customer', now: START })).toBe(false);
  });
});
