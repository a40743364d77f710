import type { Undertaking, UndertakingKind } from '../../protocol/undertaking.ts';
import type { Actor } from '../ports/audit-log.ts';

/**
 * May this person do this with this undertaking now? (INV-50) Two people means two that the identity provider tells apart: a name that
 * comes by the account's own permissions is what its caller says it is.
 *
 * What is open ends by itself a day after it was asked for, and a day after it was started; an approval is good for one carrying
 * out, which may be interrupted and gone on with until it is done.
 */
export const UNDERTAKING_LIFE_MS = 24 * 3_600_000;

export type UndertakingAct = 'APPROVE' | 'REJECT' | 'CARRY_OUT' | 'END';

export type Verdict =
  | { readonly kind: 'allowed'; readonly after: Undertaking }
  | { readonly kind: 'refused'; readonly code: 'FORBIDDEN' | 'CONFLICT_OF_STATE'; readonly why: string };

interface Moment {
  readonly actor: Actor;
  /** ms. */
  readonly now: number;
}

interface Asked extends Moment {
  readonly undertakingId: string;
  readonly kind: UndertakingKind;
  readonly subject: string;
  readonly reason: string;
  readonly stores: number;
  /** From this many stores on two people are needed; null: never. */
  readonly storesMin: number | null;
}

export function askedFor({ actor, now, storesMin, ...asked }: Asked): Verdict {
  const isForTwo = storesMin !== null && asked.stores >= storesMin;
  if (actor.role !== 'admin') return forbidden('only an admin asks for it');
  if (isForTwo && actor.via !== 'OIDC')
    return forbidden(`it reaches ${asked.stores} stores, which takes two people, each with a token of the identity provider`);
  const askedAt = new Date(now).toISOString();
  const after: Undertaking = {
    ...asked,
    askedBy: personOf(actor),
    askedAt,
    state: isForTwo ? 'WAITING' : 'STARTED',
    decidedBy: null,
    decidedAt: null,
    startedAt: isForTwo ? null : askedAt,
    endedAt: null,
  };
  return { kind: 'allowed', after };
}

export function decideUndertaking(before: Undertaking, act: UndertakingAct, { actor, now }: Moment): Verdict {
  const state = stateAt(before, now);
  const at = new Date(now).toISOString();
  if (actor.role !== 'admin') return forbidden('only an admin does that');
  if (!WHEN[act].includes(state)) return { kind: 'refused', code: 'CONFLICT_OF_STATE', why: `it is ${state}` };
  if (act === 'APPROVE') {
    if (actor.via !== 'OIDC') return forbidden('who approves shows a token of the identity provider');
    if (actor.subject === before.askedBy.subject) return forbidden('somebody else than who asked has to approve it');
  }
  return { kind: 'allowed', after: { ...before, ...AFTER[act](before, { person: personOf(actor), at }) } };
}

/** Whether a step of it may be taken now: of this kind and on this, and on nothing else. */
export function isUnderWay(undertaking: Undertaking, { kind, subject, now }: { kind: UndertakingKind; subject: string; now: number }) {
  return undertaking.kind === kind && undertaking.subject === subject && stateAt(undertaking, now) === 'STARTED';
}

export function stateAt({ state, askedAt, startedAt }: Undertaking, now: number): Undertaking['state'] {
  if (state === 'DONE' || state === 'REJECTED') return state;
  return now < Date.parse(startedAt ?? askedAt) + UNDERTAKING_LIFE_MS ? state : 'EXPIRED';
}

const WHEN: Readonly<Record<UndertakingAct, readonly Undertaking['state'][]>> = {
  APPROVE: ['WAITING'],
  REJECT: ['WAITING', 'APPROVED'],
  // Started already: whoever was interrupted goes on.
  CARRY_OUT: ['APPROVED', 'STARTED'],
  END: ['STARTED'],
};

interface Act {
  readonly person: Undertaking['askedBy'];
  readonly at: string;
}

const AFTER: Readonly<Record<UndertakingAct, (before: Undertaking, act: Act) => Partial<Undertaking>>> = {
  APPROVE: (_, { person, at }) => ({ state: 'APPROVED', decidedBy: person, decidedAt: at }),
  REJECT: (_, { person, at }) => ({ state: 'REJECTED', decidedBy: person, decidedAt: at }),
  CARRY_OUT: ({ startedAt }, { at }) => ({ state: 'STARTED', startedAt: startedAt ?? at }),
  END: (_, { at }) => ({ state: 'DONE', endedAt: at }),
};

function personOf({ name, subject }: Actor): Undertaking['askedBy'] {
  return { name, subject };
}

function forbidden(why: string): Verdict {
  return { kind: 'refused', code: 'FORBIDDEN', why };
}
