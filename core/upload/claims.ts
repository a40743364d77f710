import type { Collection } from '../../protocol/catalogue/types.ts';
import { CLOCK_PER_MS } from '../outbox/hybrid-clock.ts';
import { fieldClock } from '../records/field-clocks.ts';
import { create, mergeRecord } from './merge-record.ts';
import { type Case, type Verdict, held, isThere, rejected, verdict } from './verdict.ts';

/**
 * An identifier belongs to one customer: who claims it first has it. Numbers and cards do get another owner, so a later claim
 * by another customer is a request that a person decides about.
 */
export function decideClaim(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  if (operation.kind === 'delete') return rejected('only head office takes an identifier away');
  const current = records.get(collection.name, operation.key);
  if (!isThere(current)) return create(collection, input);
  const { user_id: owner, ...fields } = operation.fields;
  if (owner === undefined || owner === current.fields['user_id'])
    return mergeRecord(collection, { ...input, operation: { ...operation, fields } });
  if (!isThere(records.get('customer', String(owner)))) return held('customer', String(owner));
  if (input.isApproved === true) {
    const { collection: name, key, clocks } = current;
    return verdict('ACCEPTED', {
      changes: [
        { collection: name, key, fields: { ...current.fields, user_id: String(owner) }, ...(clocks === undefined ? {} : { clocks }) },
      ],
      lost: [{ field: 'user_id', lost: current.fields['user_id'] ?? null, kept: owner }],
    });
  }
  return verdict('AWAITING_APPROVAL', {
    reason: 'the identifier belongs to another customer; somebody has to say whose it is',
    against: [`customer/${String(current.fields['user_id'])}`],
    attributes: [
      { field: 'value', status: 'TAKEN', reason: 'it belongs to another customer' },
      { field: 'user_id', status: 'AWAITING_APPROVAL', reason: 'somebody has to say whose it is' },
    ],
  });
}

/** Two changes this close count as made at the same time, because clocks of stores are no better: then the stricter one stays. */
const NEAR = 600_000 * CLOCK_PER_MS;

/**
 * Consent: the later change stays, except that of two near ones opting out stays, and that an opt-in without evidence
 * never undoes an opt-out. So an older opt-in never does (INV-19).
 */
export function decideConsent(collection: Collection, input: Case): Verdict {
  const { operation, records } = input;
  if (operation.kind === 'delete') return rejected('consent is changed, never deleted');
  const current = records.get(collection.name, operation.key);
  if (!isThere(current)) return create(collection, input);
  const wanted = operation.fields['status'];
  const standing = current.fields['status'];
  const hasEvidence = typeof operation.fields['evidence'] === 'string';
  // An opt-in without evidence is none, and so it does not confirm one either.
  if (wanted === 'OPTIN' && standing === 'OPTIN' && !hasEvidence) return mergeRecord(collection, withoutStatus(input));
  if (wanted === undefined || wanted === standing) return mergeRecord(collection, input);
  return wanted === 'OPTIN' ? optIn(collection, input, hasEvidence) : optOut(collection, input);
}

function optIn(collection: Collection, input: Case, hasEvidence: boolean): Verdict {
  const { clock, since } = timesOf(collection, input);
  if (!hasEvidence) return kept('an opt-in without evidence never undoes an opt-out', input);
  if (since <= NEAR) return kept('of two changes at about the same time opting out stays', input);
  return mergeRecord(collection, withClock(input, clock));
}

function optOut(collection: Collection, input: Case): Verdict {
  const { clock, since, standing } = timesOf(collection, input);
  if (since < -NEAR) return kept('the customer opted in later', input);
  // A near tie goes to the stricter value, though its clock may be the earlier one.
  return mergeRecord(collection, withClock(input, Math.max(clock, standing + 1)));
}

/** `since`: how much later than what stands. */
function timesOf(collection: Collection, { operation, records }: Case): { clock: number; since: number; standing: number } {
  const { clock } = operation;
  const standing = fieldClock(records.get(collection.name, operation.key), 'status');
  return { clock, since: clock - standing, standing };
}

function withoutStatus(input: Case): Case {
  const { status: _, ...fields } = input.operation.fields;
  return { ...input, operation: { ...input.operation, fields } };
}

function withClock(input: Case, clock: number): Case {
  return { ...input, operation: { ...input.operation, clock } };
}

function kept(reason: string, { operation, records }: Case): Verdict {
  const standing = records.get(operation.collection, operation.key)?.fields['status'] ?? null;
  return verdict('SUPERSEDED', {
    reason,
    attributes: [{ field: 'status', status: 'CLOUD_OVERRIDDEN', reason }],
    lost: [{ field: 'status', lost: operation.fields['status'] ?? null, kept: standing }],
  });
}
